import { journey } from "./support/browser.mjs";
import { associate, createAddIn } from "./support/add_ins.mjs";
import { look } from "./support/look.mjs";
import { addClient, freshName, isAt, link, send } from "./support/steps.mjs";

journey("add-in submit: what is missing is listed, until nothing is", { as: "contoso" }, async ({ page }) => {
  const [client, addIn] = ["submitted client", "submitted"].map(freshName);
  await addClient(page, client);
  const path = await createAddIn(page, addIn);
  await page.goto(`${path}/submit`);
  await page.getByRole("alert").filter({ hasText: "Upload a package." }).waitFor();
  await look(page, "add_in_submit/missing");
  await link(page, "Go to the overview").click();
  await associate(page, client);
  await link(page, "Submit the add-in").click();
  await look(page, "add_in_submit");
  await link(page, "Cancel").click();
  await isAt(page, addIn);
  await link(page, "Submit the add-in").click();
  await send(page, "Submit");
  await page.getByText("✓ submitted").first().waitFor();
});

journey("add-in submit: China needs a package, a client ID of its own, and blocks every other country", { as: "contoso" }, async ({ page }) => {
  const [client, addIn] = ["China client", "China add-in"].map(freshName);
  await addClient(page, client, { china: true });
  const path = await createAddIn(page, addIn, { china: true });
  await page.goto(`${path}/submit`);
  for (const what of ["package", "client ID", "country"]) {
    await page.getByRole("alert").filter({ hasText: what }).waitFor();
  }
  await look(page, "add_in_submit/china");
  await page.goto(path);
  await page.getByLabel(/Block every other country/).check();
  await associate(page, client);
  await link(page, "Submit the add-in").click();
  await send(page, "Submit");
  await page.getByText("✓ submitted").first().waitFor();
});
