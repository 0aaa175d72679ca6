import { type Place, placeAt } from "../scenarios/place.js";
import { scratch } from "./scratch.js";

/** A repository of one commit, which is no agent yet. */
export function helloRepository(): Place {
  const { dir, env } = scratch();
  const place = placeAt(dir, env);
  place.git("init", "-q", "-b", "main");
  place.write("logic.py", "print('hello')\n");
  place.commit("feat: hello");
  return place;
}
