import { LRUCache } from 'lru-cache';
import type { CommandId, PlayerId } from '../core/ids.ts';
import { refuse } from '../errors.ts';

const REMEMBERED_MS = 600_000;
const REMEMBERED_COMMANDS = 20_000;

type Command = { readonly commandId: CommandId };

/**
 * Answers of commands whose truth does not keep them itself: a repeat within 10 minutes has no second effect and the
 * same answer, the same id with another body is a conflict. Refusals and failures are not remembered.
 */
export function createRepeats() {
  const answers = new LRUCache<string, { readonly body: string; readonly answer: Promise<unknown> }>({
    max: REMEMBERED_COMMANDS,
    ttl: REMEMBERED_MS,
  });

  return async function once<Answer>(
    playerId: PlayerId,
    command: Command,
    run: () => Promise<Answer>,
  ): Promise<Answer> {
    const key = `${playerId} ${command.commandId}`;
    const body = JSON.stringify(command);
    const earlier = answers.get(key);
    if (earlier) {
      if (earlier.body !== body) throw refuse('COMMAND_CONFLICT');
      return (await earlier.answer) as Answer;
    }
    const answer = run();
    answers.set(key, { body, answer });
    try {
      return await answer;
    } catch (error) {
      answers.delete(key);
      throw error;
    }
  };
}
