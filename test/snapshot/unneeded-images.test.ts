import { expect, test } from "vitest";
import { imageName } from "../../src/snapshot/image/image-name.js";
import { unneededImages } from "../../src/snapshot/image/unneeded-images.js";

const AGENT = "ai.example.clerk";
const COMMIT = "fc54417347";
const BASE = "01M8N0ZXR5DN79PV0VDMQ3G80B";
const ofCommit = imageName(AGENT, COMMIT, null);
const ofSaved = imageName(AGENT, "1.0.0", BASE);
const ofVersion = imageName(AGENT, "1.0.0", null);
const image = (id: string, names: readonly string[], containers = 0) => ({ id, names, containers });
const none = { staying: [], going: [] };

test("images of commits and of saved files go, those of versions and of other agents stay", () => {
  const others = imageName("ai.example.other", COMMIT, null);
  const images = [image("a", [ofCommit]), image("b", [ofSaved, ofVersion]), image("c", [others]), image("d", [])];
  expect(unneededImages(images, AGENT, none)).toEqual([ofCommit, ofSaved, "d"]);
});

test("what a snapshot that stays is of is needed", () => {
  const staying = [
    { version: COMMIT, base: null, image: "a" },
    { version: "1.0.0", base: BASE, image: "b" },
  ];
  expect(unneededImages([image("a", [ofCommit]), image("b", [ofSaved])], AGENT, { ...none, staying })).toEqual([]);
});

test("the last name of an image stays while a container stands on it, unless that goes before", () => {
  const images = [image("a", [ofCommit], 1), image("b", [], 1), image("c", [ofSaved, ofVersion], 1)];
  expect(unneededImages(images, AGENT, none)).toEqual([ofSaved]);
  const going = [
    { version: COMMIT, base: null, image: "a" },
    { version: "1.0.0", base: null, image: "b" },
  ];
  expect(unneededImages(images, AGENT, { ...none, going })).toEqual([ofCommit, "b", ofSaved]);
});
