import { test } from "vitest";
import { SHOWN_ROLLBACK_KEYS } from "./shown-rollback-keys.js";

for (const [key, show] of Object.entries(SHOWN_ROLLBACK_KEYS)) {
  test(`${key} changes what a command does`, async () => {
    await show();
  });
}
