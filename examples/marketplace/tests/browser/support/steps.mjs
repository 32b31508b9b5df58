// Steps that many journeys have in common.
import assert from "node:assert/strict";
import { marketplace, SECRET } from "./marketplace.mjs";

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const link = (page, name) => page.getByRole("link", { name, exact: true });
export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: typeof name === "string" });

/** Presses a button that sends a form, and waits for the page that answers. */
export async function send(page, name) {
  const answered = page.waitForEvent("framenavigated", (frame) => frame === page.mainFrame());
  await button(page, name).click();
  await answered;
}

/** Moves with the Tab key to what has this name, from where the focus is. */
export async function tabTo(page, name) {
  const focused = () => page.evaluate(() => {
    const one = document.activeElement;
    return one.labels?.[0]?.textContent ?? one.getAttribute("aria-label") ?? one.textContent.trim();
  });
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    if ((await focused()) === name) return;
  }
  assert.fail(`${name} cannot be reached with the Tab key`);
}

/** Asserts that the page has this title above its content. */
export async function isAt(page, title) {
  await heading(page, title).waitFor();
}

/** Asserts that the page says so, in its notice. */
export async function says(page, text) {
  await page.getByRole("status").filter({ hasText: text }).first().waitFor();
}

let count = 0;

/** A friendly name that no other journey uses. */
export const freshName = (kind) => `${kind} ${++count}`;

/** Adds a client ID through the form, copies its client secret, and ends on its summary. */
export async function addClient(page, name, { china = false } = {}) {
  await page.goto("/clients/new");
  await page.getByLabel("Friendly client ID name").fill(name);
  await page.getByLabel("App domain").fill("app.contoso.com");
  await page.getByLabel("App redirect URL").fill("https://app.contoso.com/done");
  if (china) await page.getByLabel(/In China only/).check();
  await button(page, "Generate client ID").click();
  const secret = await copySecret(page);
  await isAt(page, name);
  const id = new URL(page.url()).pathname.split("/")[2];
  return { id, secret, path: `/clients/${id}` };
}

/** Reads the client secret of the page that shows it, and confirms that it was copied. */
export async function copySecret(page) {
  await isAt(page, "Obtain client secret");
  const secret = await page.locator("#client-secret").textContent();
  assert.match(secret, SECRET);
  await button(page, "DONE").click();
  await page.getByRole("dialog", { name: "Have you copied your client secret?" }).waitFor();
  await link(page, "Yes").click();
  return secret;
}

/** Adds another client secret to a client ID. */
export async function addSecret(page, path, label = "") {
  await page.goto(`${path}/secrets/new`);
  await page.getByLabel("Label (optional)").fill(label);
  await button(page, "Generate client secret").click();
  return copySecret(page);
}

/** Rotates the secrets of a client ID with an overlap of 30 days. */
export async function rotate(page, path) {
  await page.goto(`${path}/rotate`);
  await page.getByLabel("Overlap in days").fill("30");
  await button(page, "Rotate").click();
  return copySecret(page);
}

/** Asks the platform for a token with a client secret, and returns the status of its answer. */
export async function token(id, secret) {
  const response = await fetch(`${marketplace.url}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** The row of a secret in the table of a summary. */
export const row = (page, secret) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${secret}\\b`) }) });
