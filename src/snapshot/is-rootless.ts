/** Whether podman runs without root here. */
export const isRootless = (): boolean => process.getuid?.() !== 0;
