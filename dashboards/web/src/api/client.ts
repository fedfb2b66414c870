// Asks the API, and turns whatever goes wrong into one kind of error with plain words.

/** An answer that is no answer: a problem document (RFC 9457), or what stands for one where nobody answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
  ) {
    super(`${title}: ${detail}`);
    this.name = 'Problem';
  }
}

/** What to send: the body decides the method. */
export interface Question {
  body?: string;
  type?: string;
  accept?: string;
  signal?: AbortSignal;
}

const UNREACHABLE = 'rxtrail did not answer. It may have stopped, or the network is down.';

/** One request; an answer outside 2xx is thrown as a `Problem`. */
export async function ask(path: string, question: Question = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: question.accept ?? 'application/json' };
  const init: RequestInit = { headers, credentials: 'same-origin', signal: question.signal ?? null };
  if (question.body !== undefined) {
    init.method = 'POST';
    init.body = question.body;
    headers['content-type'] = question.type ?? 'application/json';
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'unreachable', 'No answer', UNREACHABLE);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** One request whose answer is JSON. */
export async function askJson<T>(path: string, question: Question = {}): Promise<T> {
  const response = await ask(path, question);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(response.status, 'broken-answer', 'The answer broke off', 'What came is not whole. Ask again.');
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback = new Problem(response.status, `http-${response.status}`, response.statusText || 'Error', '');
  if (!(response.headers.get('content-type') ?? '').includes('json')) return fallback;
  try {
    const told = (await response.json()) as Partial<{ title: string; code: string; detail: string }>;
    return new Problem(
      response.status,
      String(told.code ?? fallback.code),
      String(told.title ?? fallback.title),
      String(told.detail ?? ''),
    );
  } catch {
    return fallback;
  }
}

/** A path with those parameters that are set. */
export function withQuery(path: string, parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** What of any kind was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, 'page', 'The page failed', error instanceof Error ? error.message : String(error));
}
