/** `permission denied` of Node's `EACCES: permission denied, open '/home/ada/keys'`. */
export const reasonOf = (cause: unknown): string => {
  const { message } = cause as Error;
  return /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
};
