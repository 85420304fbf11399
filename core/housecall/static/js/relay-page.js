// The test of the practice's relay from outside: each way by itself, and where one fails its one fix.

import { travel, ways } from "./loopback.js";
import { part } from "./page.js";
import { post } from "./post.js";
import { text } from "./text.js";

const PORTS = { turn: "3478", turns: "5349" }; // RFC 7065

const SAID = {
  works: () => text("Works from here."),
  refused: () => text("It refuses our credentials. In housecall.toml, “secret” must be coturn's static-auth-secret, and the clocks of both machines must be right."),
  full: () => text("It has no room for us. Raise user-quota and total-quota, or widen min-port to max-port."),
  shut: () => text("It takes us in, and relays nothing to itself. Take its own address out of denied-peer-ip."),
};
const SILENT = {
  UDP: way => text("No answer. Open UDP {port}, and UDP 49600 to 49999, in the firewall of {host}.", way),
  TCP: way => text("No answer. Open TCP {port} in the firewall of {host}.", way),
  TLS: way => text("No answer. Open TCP {port} in the firewall of {host}; if it is open, its certificate is not good: “housecall check” says why.", way),
};

// The name, host and port of one way.
function read(url) {
  const [, scheme, host, port = PORTS[scheme], transport = scheme === "turns" ? "tcp" : "udp"] = url.match(/^(turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/);
  return { name: scheme === "turns" ? "TLS" : transport.toUpperCase(), host, port };
}

async function tried(way) {
  const known = read(way.urls), row = document.createElement("li"), line = document.createElement("p");
  row.append(Object.assign(document.createElement("h2"), { textContent: text("{name}, port {port}", known) }), line);
  line.textContent = text("Testing …");
  part("ways").append(row);
  const said = await travel(way);
  row.dataset.state = said === "works" ? "good" : "bad";
  row.dataset.said = said;
  line.textContent = (SAID[said] ?? SILENT[known.name])(known);
  return said === "works" ? known.name : null;
}

async function test() {
  const { status, body } = await post("/-/relay", { token: location.hash.slice(1) });
  const words = part("relay-words");
  if (status === 403) words.textContent = text("This link is too old, or not whole. Run “housecall check” again and use its new link.");
  else if (status !== 200) words.textContent = text("The practice's server gave no answer. Test again in a minute.");
  else {
    const all = ways(body.servers), works = (await Promise.all(all.map(tried))).filter(Boolean);
    words.textContent =
      !all.length ? text("The practice has no relay of its own.") :
      works.length === all.length ? text("Every way works. Calls get through, by strict networks too.") :
      works.length ? text("Calls get through by {ways}. What fails here may be this network's doing: test from another one, too.", { ways: works.join(", ") }) :
      text("No way works from here.");
  }
  part("main").dataset.ready = "";
}

test();
