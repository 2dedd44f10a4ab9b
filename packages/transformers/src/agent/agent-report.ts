// What the report of a call says about its agent. Plain data.

/** What an agent added to the question of one row. */
export interface AgentReport {
  /**
   * `'enriched'`: words were added. `'nothingAdded'`: the answer has none to add. `'notAsked'`: the question does
   * without, by `when: 'auto'` or because it was given as token ids. `'failed'`, `'timedOut'`: the question stands with
   * what the agent had added before.
   */
  readonly state: 'enriched' | 'nothingAdded' | 'notAsked' | 'failed' | 'timedOut';
  /** One per picture, as far as there are. */
  readonly answers: readonly string[];
  readonly added: readonly string[];
  /** Why the agent failed. */
  readonly problem?: string;
  /** How clearly the question's best word points at a place, from 0 to 1, where `when: 'auto'` measured it. */
  readonly informativeness?: number;
  /** Milliseconds that the agent took. */
  readonly ms: number;
}
