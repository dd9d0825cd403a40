import type { Row } from '../api/types'
import { holding } from './rows'

/** Whether the agent may write to the customer, and what must be asked first. */
export type ReplyState
  = | { type: 'open' }
    /** Claim it first. */
    | { type: 'claim' }
    /** A person has it in the channel's own app. */
    | { type: 'external' }
    /** The platform lets us say nothing until the customer writes. */
    | { type: 'spent' }
    /** Sending takes it from the bot, from `holder`, or opens a closed one again. */
    | { type: 'confirm', from: 'bot' | 'colleague' | 'closed', holder: string }

export function replyState(row: Row, me: string): ReplyState {
  const { isMine, holder } = holding(row, me)
  if (row.budget?.left === 0 && row.state !== 'external' && row.state !== 'waiting')
    return { type: 'spent' }
  switch (row.state) {
    case 'agent': return isMine ? { type: 'open' } : { type: 'confirm', from: 'colleague', holder: holder ?? '' }
    case 'waiting': return { type: 'claim' }
    case 'external': return { type: 'external' }
    case 'bot': return { type: 'confirm', from: 'bot', holder: '' }
    case 'closed': return { type: 'confirm', from: 'closed', holder: '' }
  }
}

export interface Actions { claim: boolean, transfer: boolean, giveBack: boolean, close: boolean }

/** What the agent may do with a conversation; supervisors may act for those who have it. */
export function actionsOf(row: Row, me: string, isSupervisor: boolean): Actions {
  const isOurs = row.state === 'agent' && (row.assignee?.id === me || isSupervisor)
  return {
    claim: row.state === 'waiting',
    transfer: isOurs,
    giveBack: isOurs,
    close: isOurs || row.state === 'bot',
  }
}
