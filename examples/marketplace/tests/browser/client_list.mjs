import assert from "node:assert/strict";
import { journey, open } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link, token } from "./support/steps.mjs";

journey("client list: searched by a part of the name, page by page", { as: "contoso" }, async ({ page, context }) => {
  await page.goto("/clients");
  await isAt(page, "Client IDs");
  await look(page, "client_list");
  for (let i = 0; i < 22; i++) {
    const form = { friendly_name: `paged ${i}`, app_domain: "a.contoso.com", redirect_url: "https://a.contoso.com/", years: "1" };
    const added = await context.request.post("/clients/new", { form, maxRedirects: 0 });
    assert.equal(added.status(), 303);
  }
  await page.getByLabel("Search by friendly name").fill("PAGED");
  await button(page, "Search").click();
  const names = await page.getByRole("rowheader").allTextContents();
  const onAPage = names.length;
  while (await link(page, "Next page").count()) {
    await link(page, "Next page").click();
    await link(page, "First page").waitFor();
    names.push(...(await page.getByRole("rowheader").allTextContents()));
  }
  assert.equal(new Set(names).size, 22);
  await link(page, "First page").click();
  await link(page, "First page").waitFor({ state: "detached" });
  assert.equal(await page.getByRole("rowheader").count(), onAPage);
  await page.getByLabel("Search by friendly name").fill("no such name");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No friendly name has “no such name” in it" }).waitFor();
  await look(page, "client_list/empty");
  await link(page, "Show all").click();
  assert.equal(await page.getByRole("rowheader").count(), onAPage);
});

journey("client list: two sellers side by side see their own alone", { as: "contoso" }, async ({ page }) => {
  const other = await open("fabrikam");
  const theirs = await other.newPage();
  const name = freshName("side by side");
  const [mine, its] = [await addClient(page, name), await addClient(theirs, name)];
  assert.notEqual(mine.id, its.id);
  for (const [one, path] of [[page, its.path], [theirs, mine.path]]) {
    for (const to of ["", "/edit", "/rotate", "/delete", "/trail", "/secrets/1", "/secrets/1/copy"]) {
      const answer = await one.goto(`${path}${to}`);
      assert.equal(answer.status(), 404, `${path}${to}`);
    }
  }
  for (const to of ["secrets/1/emergency", "suspend", "rotate", "secrets/new"]) {
    const answer = await other.request.post(`${mine.path}/${to}`, { form: { years: "1", days: "30" } });
    assert.equal(answer.status(), 404, to);
  }
  assert.equal(await token(mine.id, mine.secret), 200);
  await theirs.goto("/clients");
  assert.equal(await link(theirs, "calendar app").count(), 0);
  await other.close();
});

journey("client list: a seller who has nothing yet is told what to do", { as: "northwind" }, async ({ page }) => {
  await page.goto("/");
  await page.getByRole("heading", { name: "No client ID yet" }).waitFor();
  await look(page, "client_list/none");
  await link(page, "Add your first client ID").click();
  await isAt(page, "Add a new OAuth client ID");
});
