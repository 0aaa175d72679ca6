import { expect, test } from "vitest";
import { whyUnread } from "../../src/git/network.js";

const ADVICE =
  "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n";

test("of what git says of a remote that cannot be read the line with the reason is told", () => {
  const missing = "fatal: '/gone' does not appear to be a git repository\n";
  expect(whyUnread(missing + ADVICE)).toBe("'/gone' does not appear to be a git repository");
  const refused = "ssh: connect to host localhost port 1: Connection refused";
  expect(whyUnread(`${refused}\r\n${ADVICE}`)).toBe(refused);
  expect(whyUnread("warning: slow\nfatal: unable to access 'https://a.example/': no\n")).toBe(
    "unable to access 'https://a.example/': no",
  );
  expect(whyUnread(ADVICE)).toBe("Could not read from remote repository.");
  expect(whyUnread("odd\nwords\n")).toBe("words");
  expect(whyUnread("")).toBe("");
});
