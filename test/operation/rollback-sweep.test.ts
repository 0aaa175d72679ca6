import { goingBack } from "./sweep-scenarios.js";
import { testSweep } from "./sweep-test.js";

testSweep(goingBack);
