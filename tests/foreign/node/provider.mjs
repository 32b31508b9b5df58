// oidc-provider, a server of others, with the clients of its argument. It says where it listens, and ends with its input.

import { createServer } from "node:http";

console.info = console.warn = () => {}; // what it recommends for production
const { default: Provider } = await import("oidc-provider");

const clients = JSON.parse(process.argv[2]).map(([client_id, client_secret, client_secret_expires_at]) => ({
  client_id,
  client_secret,
  client_secret_expires_at,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
}));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const features = {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  };
  const routes = { token: "/token", introspection: "/introspect" };
  server.on("request", new Provider(url, { clients, features, routes }).callback());
  console.log(`listening on ${url}`);
});
process.stdin.on("end", () => process.exit()).resume();
