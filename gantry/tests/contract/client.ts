// A whole create, watch and delete with the types that openapi-typescript makes of the document.
import createClient from "openapi-fetch";
import type { components, paths } from "./gantry.d.ts";

declare const process: { argv: string[] };

const [, , baseUrl, token] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

function sure<T>(value: T | undefined, otherwise: unknown): T {
  if (value === undefined) throw new Error(JSON.stringify(otherwise));
  return value;
}

function same(one: unknown, other: unknown): void {
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error(`${JSON.stringify(one)}, not ${JSON.stringify(other)}`);
}

/** What happens, until it has ended. */
async function watch(id: string): Promise<string[]> {
  const path = { id };
  const { data, error } = await client.GET("/v1/operations/{id}/events", { params: { path }, parseAs: "stream" });
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of sure(data ?? undefined, error) as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
  }
  return [...text.matchAll(/^event: (.*)$/gm)].map((found) => found[1]);
}

async function ended(id: string): Promise<components["schemas"]["OperationView"]> {
  const { data, error } = await client.GET("/v1/operations/{id}", { params: { path: { id } } });
  return sure(data, error);
}

const wish: components["schemas"]["CreateContainer"] = { hostname: "ts1", template: "nginx" };
const { data: accepted, error: refused } = await client.POST("/v1/containers", { body: wish });
const made = sure(accepted, refused) as components["schemas"]["Created"];
same((await watch(made.id)).includes("snapshot"), true);
same((await ended(made.id)).status, "succeeded");

const path = { id: made.container };
const { data: container, response } = await client.GET("/v1/containers/{id}", { params: { path } });
same([container?.hostname, container?.lifecycle], ["ts1", "ready"]);
const tag = sure(response.headers.get("etag") ?? undefined, "there is no ETag");
const { data: listed } = await client.GET("/v1/containers", { params: { query: { hostname: "ts1", fields: "id" } } });
same(listed?.items.map((one) => one.id), [made.container]);

const { error: conflict } = await client.POST("/v1/containers", { body: wish });
same(conflict?.type, "/problems/conflict");

const header = { "If-Match": tag };
const { data: deleted, error } = await client.DELETE("/v1/containers/{id}", { params: { path, header } });
const gone = sure(deleted, error) as components["schemas"]["OperationView"];
await watch(gone.id);
same((await ended(gone.id)).status, "succeeded");
