// Hashes HEAD's tree of the repository that it is started in, with the cache in the folder given, and says how many blobs it read.
import { openRepository } from "../src/git/repository.js";
import { DigestCache } from "../src/version/digest-cache.js";
import { hashTree } from "../src/version/hash-tree.js";

const repository = await openRepository(process.cwd(), process.env);
const cache = await DigestCache.open(process.argv[2] ?? "", repository.objectFormat);
let read = 0;
await hashTree(repository, "HEAD", {
  get: (id) => cache.get(id),
  add: (fresh) => {
    read += fresh.size;
    return cache.add(fresh);
  },
});
process.stdout.write(`${read}\n`);
