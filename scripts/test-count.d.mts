export interface TestCount {
  passed: number;
  failed: number;
}

/** `report` is Vitest's JSON report, undefined where it wrote none; `status` its exit status, null where a signal ended it. */
export declare function countTests(report: string | undefined, status: number | null): TestCount;
