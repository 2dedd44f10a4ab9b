// Stores profiles. `#profiles` in package.json selects the implementation.

/** Stores profiles by key. Reading and writing never fail: a profile that cannot be stored is measured again. */
export interface ProfileStore {
  /** The stored value for a key, not validated; `undefined` if there is none. */
  read(key: string): Promise<unknown>;
  write(key: string, profile: object): Promise<void>;
  /** Identifies the machine, for profile folders that several machines share. */
  machine(): string;
}
