import { type Agent, agentWithVersions } from "./agent.js";
import { makeVersion } from "./make-version.js";

/** 1.0.0 has `extra`, `folder/inner` and `plain`; 1.1.0 has none of them, and ignores `extra`. */
export async function agentInTheWay(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write("extra", "of 1.0.0\n");
  agent.write("folder/inner", "of 1.0.0\n");
  agent.write("plain", "of 1.0.0\n");
  await makeVersion(agent, "1.0.0", "feat: extras");
  for (const name of ["extra", "folder", "plain"]) agent.remove(name);
  agent.write(".gitignore", "state.json\nmemory.sqlite\nextra\n*.log\n");
  await makeVersion(agent, "1.1.0", "feat: no extras");
  // An ignored file, a file where a folder goes, and a folder with an ignored file where a file goes.
  agent.write("extra", Buffer.from([1, 0, 13, 10, 255]));
  agent.write("folder", "a file of mine\r\n");
  agent.write("plain/mine.log", "log\n");
  return agent;
}
