import path from "node:path";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import {
  appendPiece,
  checkOf,
  forgetKept,
  type Piece,
  readPieces,
  replacePieces,
  type StoredPiece,
} from "./kept-pieces.js";
import { isLogIndex, joinParts, type LogBlock, type LogIndex, type LogPart } from "./log-part.js";

const FORMAT = "kai-kept-log/2";
const FILE = "log";

/** The file is written anew when it is in more pieces. */
const MOST_PIECES = 64;

/** How the index of a piece says what its body holds, one block behind the other. */
type StoredBlock = readonly [bytes: number, commits: number, check: string];

/** The index of a piece. */
interface StoredIndex extends LogIndex {
  /** The commit behind which it goes on; null for the log's beginning. */
  readonly after: string | null;
  readonly blocks: readonly StoredBlock[];
}

/**
 * What was read of the log before, up to a commit: a file in the clone's cache. Commits never change, so what is kept of them is
 * true as long as the log holds the newest. It finds accidents and no forgeries, as all that lies there: it is believed like the
 * pin beside it.
 */
export class KeptLog {
  readonly #file: string;
  /** Newest first. */
  readonly parts: readonly LogPart[];
  /** Whether a piece that is added now is found again. */
  readonly #canGrow: boolean;

  constructor(repository: Repository) {
    this.#file = path.join(kaiFolderOf(repository).cache, FILE);
    const { pieces, whole } = readPieces(this.#file, FORMAT);
    this.parts = chain(pieces);
    this.#canGrow = whole && pieces.length > 0 && pieces.length < MOST_PIECES;
  }

  /** The newest commit that is kept; undefined where nothing is. */
  get head(): string | undefined {
    return this.parts[0]?.index.head;
  }

  /** Keeps what came behind the head as well. A file that cannot be written costs time later and nothing else. */
  async add(part: LogPart): Promise<void> {
    if (!this.#canGrow) return this.replace(joinParts([part, ...this.parts]));
    const piece = pieceOf(part, this.head ?? null);
    if (piece) await appendPiece(this.#file, FORMAT, piece).catch(() => {});
  }

  /** Where some of it is damaged all is read anew, by the next command at last. */
  forget(): void {
    forgetKept(this.#file);
  }

  /** Keeps this instead of all that was kept: the whole log. */
  async replace(part: LogPart): Promise<void> {
    const piece = pieceOf(part, null);
    if (piece === undefined) return this.forget();
    await replacePieces(this.#file, FORMAT, piece).catch(() => {});
  }
}

/** Undefined where some of it was kept and is damaged. */
function pieceOf({ index, blocks }: LogPart, after: string | null): Piece | undefined {
  const bodies: Buffer[] = [];
  const stored: StoredBlock[] = [];
  for (const { commits, read } of blocks) {
    const bytes = read();
    if (bytes === undefined) return undefined;
    bodies.push(bytes);
    stored.push([bytes.length, commits, checkOf(bytes)]);
  }
  return { index: { ...index, after, blocks: stored } satisfies StoredIndex, body: Buffer.concat(bodies) };
}

/** The parts of which each goes on where the one before ended, newest first: two commands may have added the same. */
function chain(pieces: readonly StoredPiece[]): LogPart[] {
  const parts: LogPart[] = [];
  for (const piece of pieces) {
    const { index } = piece;
    if (!isStoredIndex(index) || index.after !== (parts[0]?.index.head ?? null)) continue;
    parts.unshift({ index, blocks: blocksOf(piece, index.blocks) });
  }
  return parts;
}

function blocksOf(piece: StoredPiece, stored: readonly StoredBlock[]): LogBlock[] {
  let end = 0;
  return stored.map(([bytes, commits, check]) => {
    const start = end;
    end += bytes;
    const read = () => {
      const found = piece.read(start, bytes);
      return found && checkOf(found) === check ? found : undefined;
    };
    return { commits, read };
  });
}

function isStoredIndex(value: unknown): value is StoredIndex {
  if (!isLogIndex(value)) return false;
  const { blocks } = value as { readonly blocks?: unknown };
  return Array.isArray(blocks) && blocks.every((each) => Array.isArray(each) && each.length === 3);
}
