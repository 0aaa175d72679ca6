import { expect, test } from "vitest";
import { findRecipe, type RecipeRequest } from "../../src/snapshot/image/recipe.js";

const recipe = (runtime: RecipeRequest["runtime"], names: readonly string[], links: readonly string[]) =>
  findRecipe({
    files: { names, links, size: () => Promise.resolve(3), read: () => Promise.resolve(Buffer.from("x==1")) },
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
      hint: expect.stringContaining(`readlink -f ${link}`),
    });
  },
);

test("links beside it are in no image", async () => {
  const links = ["Dockerfile", "requirements-linked.txt", "package-lock.json"];
  const made = await recipe("python", ["requirements.txt"], links);
  expect([made?.kind, [...(made?.files.keys() ?? [])]]).toEqual(["python", ["requirements.txt"]]);
});
