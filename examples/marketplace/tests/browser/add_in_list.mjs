import { journey } from "./support/browser.mjs";
import { createAddIn } from "./support/add_ins.mjs";
import { look } from "./support/look.mjs";
import { isAt, link } from "./support/steps.mjs";

journey("add-in list: the add-ins of a seller, and what is missing", { as: "contoso" }, async ({ page }) => {
  await page.goto("/clients");
  await link(page, "Add-ins").click();
  await isAt(page, "Add-ins");
  await page.getByRole("row").filter({ hasText: "Travel desk" }).filter({ hasText: "missing" }).waitFor();
  await look(page, "add_in_list");
});

journey("add-in list: a seller who has nothing yet is told what to do", { as: "northwind" }, async ({ page }) => {
  await page.goto("/add-ins");
  await page.getByRole("heading", { name: "No add-in yet" }).waitFor();
  await look(page, "add_in_list/none");
  await link(page, "Create your first add-in").click();
  await createAddIn(page, "lonely");
  await page.getByText("You have none that can be chosen").waitFor();
  await look(page, "add_in_overview/none");
});
