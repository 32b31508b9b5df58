// openid-client, asked over standard input and output: one JSON object a line, one answer a line.

import { createInterface } from "node:readline";

import * as client from "openid-client";

const how = ({ method, secret }) =>
  method === "client_secret_basic" ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);

function configured(ask) {
  const endpoints = { token_endpoint: `${ask.url}/token`, introspection_endpoint: `${ask.url}/introspect` };
  const config = new client.Configuration({ issuer: ask.url, ...endpoints }, ask.id, undefined, how(ask));
  client.allowInsecureRequests(config); // this machine alone
  return config;
}

async function discovered(ask) {
  const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(ask.url), ask.id, undefined, how(ask), options);
}

const does = {
  token: async (ask) => (await client.clientCredentialsGrant(configured(ask))).access_token,
  introspect: async (ask) => (await client.tokenIntrospection(configured(ask), ask.token)).active,
  discover: async (ask) => (await client.clientCredentialsGrant(await discovered(ask))).access_token,
};

// Where a 401 has a challenge, the library leaves the body to its caller.
async function code(error) {
  if (error instanceof client.WWWAuthenticateChallengeError) return (await error.response.json()).error;
  return error instanceof client.ResponseBodyError ? error.error : String(error);
}

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  let answer;
  try {
    answer = { answer: await does[ask.do](ask) };
  } catch (error) {
    answer = { error: await code(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
