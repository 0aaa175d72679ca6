import { expect, test } from "vitest";
import { findRecipe, type RecipeRequest } from "../../src/snapshot/image/recipe.js";

const recipe = (
  runtime: RecipeRequest["runtime"],
  names: readonly string[],
  links: readonly string[],
  target = "deps/file",
) =>
  findRecipe({
    files: {
      names,
      links,
      size: () => Promise.resolve(3),
      read: () => Promise.resolve(Buffer.from("x==1")),
      target: () => Promise.resolve(target),
    },
    runtime,
    isEnvironment: (name) => name === "Containerfile",
  });

test.each([
  ["python", [], "requirements.txt"],
  ["python", ["requirements-dev.txt"], "requirements.txt"],
  ["node", ["package.json"], "package-lock.json"],
  ["python", ["requirements.txt"], "Containerfile"],
] as const)(
  "a link in the place of what a %s image is made of is refused, and not passed over (%j, %s)",
  async (runtime, names, link) => {
    await expect(recipe(runtime, names, [link])).rejects.toMatchObject({
      code: "E103",
      message: `The version's image cannot be built: ${link} is a link, and none is followed.`,
      hint: "It leads to deps/file; the version must hold the file itself. `--image NAME` uses an image as it is.",
    });
  },
);

test.each([
  ["deps/all.txt", true],
  ["./deps/../deps/all.txt", true],
  // What is a link itself, or lies behind one, is no file of the version.
  ["linked/all.txt", false],
  ["deps", false],
  ["/etc/passwd", false],
  ["/deps/all.txt", false],
  ["../deps/all.txt", false],
  ["../../../etc/passwd", false],
  ["deps/$(id).txt", false],
  ["-deps.txt", false],
])(
  "a command copies what a link leads to only where that is a file of the version: %s (%j)",
  async (target, isCopied) => {
    const names = ["deps/all.txt", "deps/$(id).txt", "-deps.txt"];
    await expect(recipe("python", names, ["requirements.txt"], target)).rejects.toMatchObject({
      hint: expect.stringContaining(
        isCopied ? "`cp --remove-destination deps/all.txt requirements.txt`" : `It leads to ${target}; `,
      ),
    });
  },
);

test("links beside it are in no image", async () => {
  const links = ["Dockerfile", "requirements-linked.txt", "package-lock.json"];
  const made = await recipe("python", ["requirements.txt"], links);
  expect([made?.kind, [...(made?.files.keys() ?? [])]]).toEqual(["python", ["requirements.txt"]]);
});
