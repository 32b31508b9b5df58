// The marketplace as a process of its own, in a temporary folder, with the trip calendar.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { once } from "node:events";

export const SECRET = /crs_[0-9A-Za-z]{49}/;

class Marketplace {
  folder = mkdtempSync(join(tmpdir(), "marketplace-"));
  log = "";
  url = null;
  calendar = null;

  async start() {
    const env = {
      ...process.env,
      MARKETPLACE_DATA: this.folder,
      LISTEN: this.url ? new URL(this.url).host : "127.0.0.1:0",
      CALENDAR_LISTEN: this.calendar ? `127.0.0.1:${new URL(this.calendar).port}` : "127.0.0.1:0",
      RUST_LOG: process.env.RUST_LOG ?? "info",
    };
    this.child = spawn(process.env.MARKETPLACE, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stderr.on("data", (text) => (this.log += text));
    this.ended = once(this.child, "exit");
    for await (const line of createInterface({ input: this.child.stdout })) {
      this.log += `${line}\n`;
      const address = line.match(/ is at (http:\S+)/)?.[1];
      if (address && line.startsWith("the marketplace")) this.url = address;
      if (address && line.startsWith("the trip calendar")) this.calendar = address;
      if (line.startsWith("sign in")) break;
    }
    assert.ok(this.url && this.calendar, `the marketplace did not start:\n${this.log}`);
    this.child.stdout.resume();
  }

  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  async stop() {
    this.child.kill("SIGTERM");
    const [status] = await this.ended;
    assert.equal(status, 0, `it did not stop in order:\n${this.log}`);
  }

  /** Hands a new client secret to the trip calendar, as those who operate it do. */
  async handOver(slot, secret) {
    const file = join(this.folder, `trip-calendar.${slot}`);
    writeFileSync(`${file}.new`, secret, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  read(name) {
    return readFileSync(join(this.folder, name), "utf8");
  }

  write(name, text) {
    writeFileSync(join(this.folder, name), text, { mode: 0o600 });
  }

  async calendarState() {
    return (await fetch(`${this.calendar}/state.json`)).json();
  }

  assertNoSecretInLog() {
    assert.doesNotMatch(this.log, SECRET);
  }
}

export const marketplace = new Marketplace();
