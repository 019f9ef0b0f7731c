// The app's HTTP side, the same for both versions of the SDK. Express is handed in: each version has its own packages.
import { openGate, shutGate } from "./gates.js";
import { count, recordCalls, showCalls } from "./record.js";

/** @param lanes `{ "<path>": <the SDK's handler>, … }` */
export const listen = (express, lanes) => {
  const app = express();
  app.get("/_calls", showCalls);
  app.get("/_count", count);
  app.post("/_gates/:name", openGate);
  app.delete("/_gates/:name", shutGate);
  app.use(express.json({ limit: "64mb" }));
  app.use(recordCalls);
  for (const [path, handler] of Object.entries(lanes)) app.use(path, handler);
  app.listen(Number(process.env.PORT), "127.0.0.1");
  // The harness holds the other end of the pipe: when it is gone, however it went, so is the app.
  process.stdin.resume().on("end", () => process.exit(0));
};
