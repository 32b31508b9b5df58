// jose and standardwebhooks, asked over standard input and output: one JSON object a line, one answer a line.

import { createInterface } from "node:readline";

import { SignJWT, jwtVerify } from "jose";
import { Webhook } from "standardwebhooks";

const bytes = (base64) => Uint8Array.from(Buffer.from(base64, "base64"));

const does = {
  async verify_jwt({ key, token, aud, typ }) {
    const requiredClaims = ["exp", "iat", "aud"];
    const options = { algorithms: ["HS256"], audience: aud, typ, requiredClaims };
    const { payload, protectedHeader } = await jwtVerify(token, bytes(key), options);
    return { claims: payload, kid: protectedHeader.kid };
  },
  async sign_jwt({ key, typ, kid, claims }) {
    return { token: await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ, kid }).sign(bytes(key)) };
  },
  async verify_webhook({ whsec, headers, body }) {
    new Webhook(whsec).verify(body, headers);
    return {};
  },
  async sign_webhook({ whsec, id, seconds, body }) {
    return { signature: new Webhook(whsec).sign(id, new Date(seconds * 1000), body) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...(await does[ask.do](ask)) };
  } catch (error) {
    answer = { ok: false, error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
