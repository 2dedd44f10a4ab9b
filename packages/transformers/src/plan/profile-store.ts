// Where profiles are remembered. `#profiles` in package.json chooses the implementation.

/** Remembers profiles by key. Neither reading nor writing fails: what cannot be remembered is measured again. */
export interface ProfileStore {
  /** What is remembered under a key, unchecked; `undefined` where there is nothing. */
  read(key: string): Promise<unknown>;
  write(key: string, profile: object): Promise<void>;
  /** Names the machine, for profiles in folders that machines share. */
  machine(): string;
}
