// The life of an agent's sessions through openapi-fetch and types that openapi-typescript made; ../lives.py starts it.
// It prints `open ADDRESS` once the agent's browser has to do something, and exits with 0 if all was as it should be.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import createClient from "openapi-fetch";
import { Webhook } from "standardwebhooks";
import type { components, paths } from "./api.js";

type Event = components["schemas"]["ConnectionEvent"] | components["schemas"]["SessionEvent"];

const setting = (name: string): string => {
  const value = process.env[name];
  assert(value, name);
  return value;
};

const path = { organization: "acme", agent: "by-typescript" };
const session = { ...path, session: "s-1" };
const day = Math.floor(Date.now() / 1000) * 1000 + 400 * 86_400_000;
const at = (hours: number): string => new Date(day + hours * 3_600_000).toISOString();

const events: Event[] = [];
let arrived = (): void => {};

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const headers = request.headers as Record<string, string>;
    const event = new Webhook(setting("WEBHOOK_SECRET")).verify(Buffer.concat(parts).toString(), headers) as Event;
    response.writeHead(204).end();
    if (event.data.agent === path.agent) {
      events.push(event);
      arrived();
    }
  });
});

const next = async (): Promise<Event> => {
  while (events.length === 0) await new Promise<void>((resolve) => { arrived = resolve; });
  return events.shift()!;
};

await new Promise<void>((resolve) => server.listen(Number(setting("WEBHOOK_PORT")), "127.0.0.1", resolve));
const client = createClient<paths>({
  baseUrl: setting("API"),
  headers: { Authorization: `Bearer ${setting("API_KEY")}` },
});

const agent = "/v1/organizations/{organization}/agents/{agent}" as const;
const link = await client.POST(`${agent}/portal-sessions`, { params: { path }, body: { locale: "en" } });
console.log("open", link.data?.url);
const connected = await next();
assert(connected.type === "connection.connected" && connected.data.status === "connected");
const connection = await client.GET(`${agent}/connection`, { params: { path } });
assert.equal(connection.data?.state, "connected");
const members = await client.GET("/v1/organizations/{organization}/connections", { params: { path } });
assert(members.data?.connections.some((one) => one.agent === path.agent));

// The body of README: nothing optional.
const created = await client.PUT(`${agent}/sessions/{session}`, {
  params: { path: session },
  body: { start: at(0), end: at(1), by: "agent" },
});
assert.deepEqual([created.response.status, created.data?.status], [201, "scheduled"]);
const applied = await next();
assert(applied.type === "session.applied" && applied.data.status === "scheduled");

const moved = await client.PUT(`${agent}/sessions/{session}`, {
  params: { path: session, header: { "X-Request-Id": "00c0ffee00c0ffee" } },
  body: { start: at(3), end: at(4), by: "agent" },
});
assert.deepEqual([moved.response.status, moved.data?.revision], [200, 2]);
assert.equal(moved.response.headers.get("X-Request-Id"), "00c0ffee00c0ffee");
assert((await next()).type === "session.applied");

const seen = await client.GET(`${agent}/sessions/{session}`, { params: { path: session, query: { read: "google" } } });
assert.equal(Date.parse(seen.data?.start ?? ""), Date.parse(at(3)));
const listed = await client.GET(`${agent}/sessions`, { params: { path, query: { from: at(3).slice(0, 10), limit: 10 } } });
assert.deepEqual(listed.data?.sessions.map((one) => one.session), ["s-1"]);

const plan = await client.POST(`${agent}/sessions/reconcile`, {
  params: { path },
  body: { from: at(0), to: at(24), sessions: [{ session: "s-1", start: at(3), end: at(4) }] },
});
assert.deepEqual([plan.data?.equal, plan.data?.differences, plan.data?.unknown_events], [1, [], []]);

const over = await client.PUT(`${agent}/sessions/{session}`, {
  params: { path: { ...path, session: "s-2" } },
  body: { start: "2020-05-03T14:00:00Z", end: "2020-05-03T15:00:00Z", by: "system" },
});
assert.deepEqual([over.error?.code, over.error?.retryable], ["session_over", false]);

const cancelled = await client.DELETE(`${agent}/sessions/{session}`, { params: { path: session, query: { by: "agent" } } });
assert.deepEqual([cancelled.data?.status, cancelled.data?.applied], ["cancelled", true]);
const gone = await next();
assert(gone.type === "session.applied" && gone.data.status === "cancelled");
server.close();
process.exit(0);
