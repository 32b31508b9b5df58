// Starts the marketplace and the browser, and runs the files that are named on the command line, or all.
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { parseArgs } from "node:util";
import assert from "node:assert/strict";
import { closeBrowser, openBrowser } from "./support/browser.mjs";
import { looked, saveScreenshots } from "./support/look.mjs";
import { marketplace } from "./support/marketplace.mjs";

const { values, positionals } = parseArgs({
  options: { screenshots: { type: "string" } },
  allowPositionals: true,
});
if (values.screenshots) saveScreenshots(values.screenshots);

const here = new URL(".", import.meta.url);
const all = readdirSync(here).filter((name) => name.endsWith(".mjs") && name !== "main.mjs");
const names = positionals.length ? positionals.map((name) => `${name}.mjs`) : all.sort();
for (const name of names) assert.ok(all.includes(name), `there is no test file ${name}`);

before(async () => {
  await marketplace.start();
  await openBrowser();
});
for (const name of names) await import(new URL(name, here));
if (!positionals.length) {
  test("every page was looked at", () => {
    const pages = readdirSync(process.env.TEMPLATES).map((name) => name.replace(".html", ""));
    const parts = ["fields", "layout", "operator_tabs", "plan", "timeline", "trail"];
    const missed = pages.filter((name) => !parts.includes(name) && !looked.has(name));
    assert.deepEqual(missed, []);
  });
}
test("no client secret is in the log", () => marketplace.assertNoSecretInLog());
after(async () => {
  try {
    await closeBrowser();
  } finally {
    await marketplace.stop();
  }
});
