import { making, recovering } from "./sweep-scenarios.js";
import { testSweep } from "./sweep-test.js";

testSweep({ ...making, ...recovering });
