// Steps with add-ins.
import { button, isAt } from "./steps.mjs";

export const TICK = "My add-in is a service and requires server to server authorization";

/** Creates an add-in, and ends on its overview. */
export async function createAddIn(page, name, { china = false } = {}) {
  await page.goto("/add-ins/new");
  await page.getByLabel("Name").fill(name);
  if (china) await page.getByLabel("In China only").check();
  await button(page, "Create").click();
  await isAt(page, name);
  return new URL(page.url()).pathname;
}

/** Ticks that the add-in uses OAuth, and chooses a client ID by its friendly name. */
export async function associate(page, clientName) {
  await page.getByLabel(TICK).check();
  await page.getByLabel("Client ID", { exact: true }).selectOption({ label: clientName });
  await page.getByLabel("Package").fill("add-in-1.0.zip");
  await button(page, "Save").click();
  await page.getByText("It uses client ID").waitFor();
}
