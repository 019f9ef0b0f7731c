// Requests as cheap as Node makes them: the machine that sends them is the one that is measured.

import { Agent, request } from "node:http";

export class Client {
  #agent;

  constructor(origin, connections = 1) {
    this.origin = origin;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  close() {
    this.#agent.destroy();
  }

  /** The JSON of an answer that must be a 200. */
  async post(path, body) {
    const sent = JSON.stringify(body);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(sent) };
    return new Promise((resolve, reject) => {
      const open = request(`${this.origin}${path}`, { method: "POST", headers, agent: this.#agent }, (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
      });
      open.on("error", reject);
      open.end(sent);
    });
  }
}
