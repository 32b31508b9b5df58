// Looks at a page: axe finds nothing on it, light and dark; nothing is wider than a phone; a picture is kept if that is asked for.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The names of the pages that were looked at: those of their templates. A state of a page has a name after a slash. */
export const looked = new Set();
let folder;

export function saveScreenshots(to) {
  folder = to;
  mkdirSync(to, { recursive: true });
}

export async function look(page, name) {
  looked.add(name.split("/")[0]);
  const size = page.viewportSize();
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}`);
    await shoot(page, name, colorScheme);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  const wider = await page.evaluate(() => {
    const wide = [...document.querySelectorAll("body *")].filter((one) => {
      const box = one.getBoundingClientRect();
      return box.width > 2 && box.right > innerWidth + 1 && !one.closest(".scrolls, pre");
    });
    return document.documentElement.scrollWidth > innerWidth ? wide.map((one) => one.outerHTML.slice(0, 120)) : [];
  });
  assert.deepEqual(wider, [], `${name} is wider than a phone`);
  await shoot(page, name, "phone");
  await page.setViewportSize(size);
}

async function violations(page) {
  const found = [];
  for (const frame of page.frames()) {
    await frame.evaluate(axe);
    const { violations } = await frame.evaluate(() => axe.run(document, { iframes: false, resultTypes: ["violations"] }));
    for (const one of violations) found.push(`${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  return found;
}

async function shoot(page, name, kind) {
  if (!folder) return;
  await page.screenshot({ path: join(folder, `${name.replace("/", "-")}-${kind}.png`), fullPage: true });
}
