import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { stagedFile, writeStagedState } from "../operation/staged-state.js";
import { syncFolder } from "../system/durable-file.js";
import { writeCaptured } from "./captured-content.js";
import { findRemoved } from "./find-removed.js";
import type { StatePatterns } from "./find-state-files.js";
import type { OpenedCapture } from "./open-capture.js";
import { requirePlaces } from "./require-places.js";
import { requireRoom } from "./require-room.js";

/**
 * Prepares what turns the live state into the captured one, without touching it: every byte is verified while it is written to
 * the operation's staging folder, and what `patterns` name today and the capture does not have is to be removed. E102 where
 * the capture is damaged or something that is no file is in the way, E118 where a folder cannot be written or has too little room.
 */
export async function stageState(
  repository: Repository & { workTree: string },
  capture: OpenedCapture,
  folder: string,
  patterns: StatePatterns,
): Promise<void> {
  const files = capture.files.map(({ path: name, captured }) => ({
    path: name,
    executable: captured.mode === "100755",
    kind: captured.kind,
  }));
  const removed = await findRemoved(repository, capture.files, patterns);
  requirePlaces(repository.workTree, files, removed);
  const state = path.join(folder, "state");
  await mkdir(state, { mode: 0o700 });
  for (const [number, file] of capture.files.entries()) {
    await writeCaptured(repository, capture, file, stagedFile(folder, number));
  }
  await requireRoom(repository.workTree, folder, files);
  await syncFolder(state);
  await writeStagedState(folder, { files, removed, seen: [] });
}
