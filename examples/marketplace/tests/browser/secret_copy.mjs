import assert from "node:assert/strict";
import { journey, open } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { marketplace, SECRET } from "./support/marketplace.mjs";
import { addClient, button, copySecret, freshName, isAt, link, says, token } from "./support/steps.mjs";

const fill = async (page, name) => {
  await page.goto("/clients/new");
  await page.getByLabel("Friendly client ID name").fill(name);
  await page.getByLabel("App domain").fill("app.contoso.com");
  await page.getByLabel("App redirect URL").fill("https://app.contoso.com/done");
};

/** Lets the form be carried out, and its answer be lost on the way. */
const dropAnswers = (page) =>
  page.route("**/clients/new", async (route) => {
    await route.fetch({ maxRedirects: 0 });
    await route.abort();
  });

journey("secret copy: cancel leads back to it, yes leads on, and back it is gone", { as: "contoso", permissions: ["clipboard-read", "clipboard-write"] }, async ({ page }) => {
  await fill(page, freshName("shown once"));
  await button(page, "Generate client ID").click();
  await isAt(page, "Obtain client secret");
  const secret = await page.locator("#client-secret").textContent();
  await look(page, "secret_copy");
  await button(page, "Copy client secret").click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  assert.match(await page.locator("#env").textContent(), new RegExp(`CLIENT_SECRET=${secret}`));
  assert.match(await page.locator("#whsec").textContent(), /^whsec_[A-Za-z0-9+/=]+$/);
  await button(page, "DONE").click();
  const dialog = page.getByRole("dialog", { name: "Have you copied your client secret?" });
  await dialog.waitFor();
  await look(page, "secret_copy/dialog");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await page.locator("#client-secret").textContent(), secret);
  await button(page, "DONE").click();
  await link(page, "Yes").click();
  await isAt(page, /shown once/);
  await page.goBack();
  await isAt(page, "This client secret was shown once, and is not shown again");
  await look(page, "secret_gone");
  assert.doesNotMatch(await page.content(), SECRET);
  await link(page, "Go on to the client ID").click();
  await isAt(page, /shown once/);
});

journey("secret copy: a reload shows what to do about a secret that nobody has", { as: "contoso" }, async ({ page }) => {
  await fill(page, freshName("reloaded"));
  await button(page, "Generate client ID").click();
  await isAt(page, "Obtain client secret");
  const answer = await page.reload();
  assert.equal(answer.status(), 410);
  assert.equal(answer.headers()["cache-control"], "no-store");
  await link(page, "Add a new client secret").click();
  await button(page, "Generate client secret").click();
  await copySecret(page);
  await page.getByRole("link", { name: "Manage secret 1" }).click();
  await link(page, "Delete").click();
  await isAt(page, /Delete secret 1/);
  await button(page, "Yes").click();
  await says(page, "Secret 1 was deleted.");
});

journey("secret copy: a browser that was closed in the middle of the request finds it waiting", { as: "contoso" }, async ({ page, context }) => {
  const name = freshName("dropped");
  await fill(page, name);
  await dropAnswers(page);
  const dropped = page.waitForEvent("requestfailed");
  await button(page, "Generate client ID").click();
  await dropped;
  await page.close();
  const again = await context.newPage();
  await again.goto(`/clients?q=${encodeURIComponent(name)}`);
  await link(again, name).click();
  await again.getByText("was not shown yet").waitFor();
  await look(again, "client_summary/waiting");
  await link(again, "Show it now, once").click();
  await isAt(again, "Obtain client secret");
});

journey("secret copy: a request that is dropped before its answer is carried out once", { as: "contoso" }, async ({ page, context }) => {
  const name = freshName("cut off");
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const body = new URLSearchParams({ friendly_name: name, app_domain: "a.contoso.com", redirect_url: "https://a.contoso.com/", years: "1" });
  const cut = new AbortController();
  const sent = fetch(`${marketplace.url}/clients/new`, { method: "POST", body, headers: { cookie }, redirect: "manual", signal: cut.signal });
  setTimeout(() => cut.abort(), 2);
  await sent.catch(() => {});
  await page.goto(`/clients?q=${encodeURIComponent(name)}`);
  if (await link(page, name).count()) {
    await link(page, name).click(); // it had begun: what it has issued waits
    await link(page, "Show it now, once").click();
    await isAt(page, "Obtain client secret");
  } else {
    await addClient(page, name); // it had not begun: the name is free
  }
});

journey("secret copy: nobody but the session that asked is shown it", { as: "contoso" }, async ({ page }) => {
  const name = freshName("mine");
  await fill(page, name);
  await dropAnswers(page);
  const dropped = page.waitForEvent("requestfailed");
  await button(page, "Generate client ID").click();
  await dropped;
  await page.unrouteAll();
  await page.goto(`/clients?q=${encodeURIComponent(name)}`);
  const path = await link(page, name).getAttribute("href");
  const other = await open("fabrikam");
  assert.equal((await other.request.get(`${path}/secrets/1/copy`)).status(), 404);
  await other.close();
  const elsewhere = await open(null);
  const twin = await elsewhere.newPage();
  await twin.goto("/sign-in");
  await twin.getByLabel("Name").fill("contoso");
  await button(twin, "Sign in").click();
  assert.equal((await twin.goto(`${path}/secrets/1/copy`)).status(), 410);
  await elsewhere.close();
  await page.goto(`${path}/secrets/1/copy`);
  await isAt(page, "Obtain client secret");
});

journey("secret copy: killed in the middle and started again, it goes on where it was", { as: "contoso" }, async ({ page }) => {
  const { id, secret, path } = await addClient(page, freshName("killed"));
  await page.goto(`${path}/secrets/1/delete`);
  await marketplace.kill();
  await marketplace.start();
  await page.goto(path); // still signed in
  await isAt(page, /killed/);
  assert.equal(await token(id, secret), 200);
  await page.goto(`${path}/secrets/new`);
  await button(page, "Generate client secret").click();
  await isAt(page, "Obtain client secret");
  const second = await page.locator("#client-secret").textContent();
  await marketplace.kill();
  await marketplace.start();
  assert.equal(await token(id, second), 200);
  await button(page, "DONE").click();
  await link(page, "Yes").click();
  await isAt(page, /killed/);
  assert.equal(await page.getByRole("rowheader").count(), 2);
});
