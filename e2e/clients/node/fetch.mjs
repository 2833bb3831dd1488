// Node's fetch, which is undici with its global dispatcher.
import { order, run } from "./contract.mjs";

const exchange = async (method, path, body) => {
  const answer = await fetch(order.url + path, { method, body: body.length ? body : undefined });
  return [answer.status, Buffer.from(await answer.arrayBuffer())];
};

run("Node fetch", exchange);
