// Node's http2 has no pool: a program keeps one session and opens another when that one is closed
// or has been told to go away, as the documentation of the event "goaway" has it.
import http2 from "node:http2";
import { order, run } from "./contract.mjs";

const { NGHTTP2_REFUSED_STREAM } = http2.constants;

// Said by the server: not processed, may be sent again (RFC 9113 section 8.7). All stream errors
// have one code in Node, and a failure is counted by its code.
const refused = () => Object.assign(new Error("refused unprocessed"), { code: "REFUSED_STREAM" });

let session;

const current = () => {
  if (session === undefined || session.closed || session.destroyed) {
    const opened = http2.connect(order.url);
    opened.on("error", () => {}); // the streams of the session report it, each for itself
    opened.on("goaway", () => {
      if (session === opened) session = undefined;
      opened.close(); // streams in flight are finished first
    });
    session = opened;
  }
  return session;
};

const exchange = (method, path, body) =>
  new Promise((resolve, reject) => {
    const stream = current().request({ ":method": method, ":path": path }, { endStream: !body.length });
    const parts = [];
    let status = 0;
    stream.on("response", (headers) => (status = headers[":status"]));
    stream.on("data", (part) => parts.push(part));
    stream.on("error", (error) => reject(stream.rstCode === NGHTTP2_REFUSED_STREAM ? refused() : error));
    stream.on("end", () => {
      if (status) resolve([status, Buffer.concat(parts)]);
      else reject(Object.assign(new Error("no answer on this stream"), { code: "ERR_NO_ANSWER" }));
    });
    stream.on("close", () => reject(Object.assign(new Error("closed"), { code: "ERR_CLOSED" })));
    if (body.length) stream.end(body);
  });

run("Node http2", exchange);
