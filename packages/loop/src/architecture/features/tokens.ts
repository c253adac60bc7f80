/** Texts as sequences of byte-pair tokens: 0 after the end, 1 at the start, cut to the recipe's length. */
import type { data } from 'descent'
import { UserError } from '../../errors.ts'
import type { Content } from '../../store/content.ts'
import { type BytePairState, BytePairs, trainBytePairs } from '../byte-pair.ts'
import type { Layout } from '../input.ts'
import type { Preprocess } from '../recipe.ts'
import { requireKind } from './kind.ts'

export interface TokenState {
  readonly type: 'bytePairs'
  readonly length: number
  readonly tokens: BytePairState
}

/** Places before the tokens' own numbers: 0 nothing, 1 the start, which every text has, so that none is empty. */
const FIRST = 2
const START = 1

export async function fitTokens(
  { vocabulary, length }: Extract<Preprocess, { type: 'bytePairs' }>,
  texts: AsyncIterable<Extract<Content, { kind: 'text' }>>,
): Promise<TokenState> {
  const all: string[] = []
  for await (const { text } of texts) all.push(cut(text, length))
  if (all.length === 0) throw new UserError('The training split has no texts: label some, then make a new snapshot.')
  return { type: 'bytePairs', length, tokens: trainBytePairs(all, vocabulary - FIRST) }
}

/** A token is one character or more of a text in most scripts; beyond this no text reaches into the first tokens. */
function cut(text: string, length: number): string {
  return text.slice(0, length * 24)
}

export class TokenFeatures {
  readonly state: TokenState
  readonly layout: Extract<Layout, { type: 'tokens' }>
  readonly notes: readonly string[] = []
  readonly tokens: BytePairs

  constructor(state: TokenState) {
    this.state = state
    this.tokens = new BytePairs(state.tokens)
    this.layout = { type: 'tokens', vocabulary: this.tokens.size + FIRST, length: state.length }
  }

  /** i32 [N, length] */
  async encode(contents: readonly Content[]): Promise<data.RawArray> {
    const { length } = this.state
    const values = new Int32Array(contents.length * length)
    for (const [row, content] of contents.entries()) {
      values[row * length] = START
      const tokens = this.tokens.encode(cut(requireKind(content, 'text').text, length))
      for (let i = 0; i < Math.min(tokens.length, length - 1); i++)
        values[row * length + 1 + i] = (tokens[i] as number) + FIRST
    }
    return { shape: [contents.length, length], values }
  }
}
