import { journey, open } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { marketplace } from "./support/marketplace.mjs";
import { button } from "./support/steps.mjs";

journey("operator check: everything is read again, and nothing is wrong", { as: "ann" }, async ({ page }) => {
  await page.goto("/operator/check");
  await look(page, "operator_check");
  await button(page, "Check the registry").click();
  await page.getByRole("heading", { name: "Nothing is wrong" }).waitFor();
  await look(page, "operator_check/clean");
  await button(page, "Check again").waitFor();
});

journey("operator check: nothing is wrong after kills in the middle of changes", { as: "ann" }, async ({ page }) => {
  const seller = await open("contoso");
  for (let i = 0; i < 5; i++) {
    const changes = [1, 2, 3].map((j) =>
      seller.request.post("/clients/new", { form: change(i, j), maxRedirects: 0, timeout: 2_000 }).catch(() => {}),
    );
    await new Promise((resolve) => setTimeout(resolve, 5 * i));
    await marketplace.kill();
    await Promise.all(changes);
    await marketplace.start();
  }
  await page.goto("/operator/check");
  await button(page, "Check the registry").click();
  await page.getByRole("heading", { name: "Nothing is wrong" }).waitFor();
  await seller.close();
});

const change = (i, j) => ({
  friendly_name: `interrupted ${i} ${j}`,
  app_domain: "app.contoso.com",
  redirect_url: "https://app.contoso.com/done",
  years: "1",
});
