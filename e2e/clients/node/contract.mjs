// What all clients in Node share: the order, the count, the two lines of JSON, the end.
import { setTimeout as sleep } from "node:timers/promises";

const EXAMPLES = 10;
const GRACE = 15_000;

const number = (name) => {
  const value = Number(process.env[name]);
  if (!Number.isFinite(value)) throw new Error(`${name}=${process.env[name]}: must be a number`);
  return value;
};

export const order = {
  url: process.env.URL,
  protocol: process.env.PROTOCOL,
  connections: number("CONNECTIONS"),
  think: number("THINK"),
  mix: process.env.MIX.split(",").map((part) => {
    const [method, size] = part.split(":");
    return { method, body: Buffer.alloc(Number(size), "x") };
  }),
  slow: number("SLOW"),
  slowSeconds: number("SLOW_SECONDS"),
  seconds: number("SECONDS"),
};

// exchange(method, path, body) resolves to [status, body] or rejects with the library's error.
export async function run(client, exchange) {
  const seen = {
    client,
    protocol: order.protocol,
    requests: 0,
    failed: 0,
    kinds: {},
    examples: [],
  };
  let stopped = false;
  let inFlight = 0;

  const failed = (kind, detail) => {
    seen.failed += 1;
    seen.kinds[kind] = (seen.kinds[kind] ?? 0) + 1;
    if (seen.examples.length < EXAMPLES) {
      seen.examples.push(`${(Date.now() / 1000).toFixed(3)} ${kind}: ${String(detail).slice(0, 200)}`);
    }
  };
  const once = async ({ method, body }, path) => {
    inFlight += 1;
    try {
      const [status, echo] = await exchange(method, path, body);
      if (status < 200 || status > 299) failed(`${method} HTTP ${status}`, echo.subarray(0, 80));
      else if (!body.equals(echo)) failed(`${method} wrong body`, `${echo.length} bytes`);
    } catch (error) {
      const cause = error.cause ?? error;
      failed(`${method} ${cause.code ?? cause.name}`, `${error.message} ${cause.message}`);
    }
    seen.requests += 1;
    inFlight -= 1;
  };
  const work = async (task) => {
    const path = task < order.connections ? "/" : `/slow?seconds=${order.slowSeconds}`;
    for (let turn = task; ; turn += 1) {
      await sleep(order.think * (0.5 + Math.random()) * 1000);
      if (stopped) return;
      await once(order.mix[turn % order.mix.length], path);
    }
  };
  const say = (key) => process.stdout.write(JSON.stringify({ [key]: seen }) + "\n");

  process.stdin.resume();
  process.stdin.on("end", () => (stopped = true));
  setTimeout(() => (stopped = true), order.seconds * 1000);
  for (let task = 0; task < order.connections + order.slow; task += 1) work(task);
  for (let tick = 0; !stopped; tick += 1) {
    if (tick % 20 === 0) say("so_far");
    await sleep(50);
  }
  const deadline = Date.now() + GRACE + (order.slow ? order.slowSeconds * 1000 : 0);
  while (inFlight && Date.now() < deadline) await sleep(50);
  for (; inFlight; inFlight -= 1) {
    seen.requests += 1;
    failed("no answer", "in flight when the client gave up");
  }
  process.stdout.write(JSON.stringify({ result: seen }) + "\n", () => process.exit(0));
}
