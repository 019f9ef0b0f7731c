// A gate holds a step's body until a test opens it, so that no test has to guess how long something takes.
const gates = new Map();

const gate = (name) => {
  if (!gates.has(name)) {
    let open;
    const opened = new Promise((resolve) => (open = resolve));
    gates.set(name, { open, opened });
  }
  return gates.get(name);
};

/** Resolves once the gate is open. */
export const opened = (name) => gate(name).opened;

/** `POST /_gates/:name` opens it. */
export const openGate = (req, res) => {
  gate(req.params.name).open();
  res.json({ open: true });
};

/** `DELETE /_gates/:name` shuts it before whoever comes from now on. */
export const shutGate = (req, res) => {
  gates.delete(req.params.name);
  res.json({ open: false });
};
