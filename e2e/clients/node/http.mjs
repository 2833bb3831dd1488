// Node's http with an Agent that keeps connections alive (the global agent's default since 19).
import http from "node:http";
import { order, run } from "./contract.mjs";

const agent = new http.Agent({ keepAlive: true });

const exchange = (method, path, body) =>
  new Promise((resolve, reject) => {
    const headers = body.length ? { "Content-Length": body.length } : {};
    const request = http.request(order.url + path, { method, agent, headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => resolve([answer.statusCode, Buffer.concat(parts)]));
    });
    request.on("error", reject);
    request.end(body);
  });

run("Node http", exchange);
