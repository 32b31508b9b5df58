// Makes the pages nicer. Each works without.
"use strict";

// A button that copies a text. Without a script, a click on the text selects all of it.
for (const button of document.querySelectorAll("button.copy")) {
  const target = document.getElementById(button.dataset.copies);
  if (!target || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const status = document.getElementById("copied-status");
    try {
      await navigator.clipboard.writeText(target.textContent);
      if (status) status.textContent = "Copied.";
    } catch {
      if (status) status.textContent = "The browser did not allow it: select the text and copy it.";
    }
  });
}

// Exact times also in the time zone of the reader.
for (const time of document.querySelectorAll("time[datetime]")) {
  const local = new Date(time.dateTime).toLocaleString("en", { dateStyle: "long", timeStyle: "medium" });
  time.title += " (" + local + " here)";
}

// A form that opens a page in a frame is sent at once.
for (const form of document.querySelectorAll("form[data-opens-frame]")) {
  form.submit();
}

// A page that was kept by the browser is asked for again: what was shown once is not shown by going back.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
