export declare function endProcessesIn(folder: string): void;
