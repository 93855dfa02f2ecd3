//! What groups matched, once it is known what all of the pattern matched.

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

/// Bits of memory of where the search was; beyond that there is no answer.
const MOST_VISITS: usize = 1 << 28;

/// What is to be done next, in order of preference.
enum Step {
    Go(StateID, usize),
    Restore { slot: usize, position: Option<usize> },
}

/// The groups of the first path through `nfa`, in order of preference, that begins and ends with
/// `span`. No state is tried twice at one position, so the time is bounded by their product.
pub(super) fn groups(
    nfa: &NFA,
    text: &[u8],
    span: Range<usize>,
) -> Option<Vec<Option<Range<usize>>>> {
    let width = span.len() + 1;
    let bits = width.checked_mul(nfa.states().len()).filter(|bits| *bits <= MOST_VISITS)?;
    let mut visited = vec![0u64; bits / 64 + 1];
    let mut slots: Vec<Option<usize>> = vec![None; nfa.group_info().slot_len()];
    let mut steps = vec![Step::Go(nfa.start_anchored(), span.start)];
    while let Some(step) = steps.pop() {
        let (mut state, mut at) = match step {
            Step::Go(state, at) => (state, at),
            Step::Restore { slot, position } => {
                slots[slot] = position;
                continue;
            }
        };
        loop {
            let bit = state.as_usize() * width + (at - span.start);
            if visited[bit / 64] & (1 << (bit % 64)) != 0 {
                break;
            }
            visited[bit / 64] |= 1 << (bit % 64);
            let byte = text.get(at).copied().filter(|_| at < span.end);
            let next = match nfa.state(state) {
                State::ByteRange { trans } => {
                    byte.filter(|byte| trans.matches_byte(*byte)).map(|_| trans.next)
                }
                State::Sparse(sparse) => byte.and_then(|byte| sparse.matches_byte(byte)),
                State::Dense(dense) => byte.and_then(|byte| dense.matches_byte(byte)),
                State::Look { look, next } => {
                    let is_here = nfa.look_matcher().matches(*look, text, at);
                    match is_here {
                        true => {
                            state = *next;
                            continue;
                        }
                        false => None,
                    }
                }
                State::Union { alternates } => {
                    let mut alternates = alternates.iter().copied();
                    let Some(first) = alternates.next() else { break };
                    steps.extend(alternates.rev().map(|alternate| Step::Go(alternate, at)));
                    state = first;
                    continue;
                }
                State::BinaryUnion { alt1, alt2 } => {
                    steps.push(Step::Go(*alt2, at));
                    state = *alt1;
                    continue;
                }
                State::Capture { next, slot, .. } => {
                    let slot = slot.as_usize();
                    steps.push(Step::Restore { slot, position: slots[slot] });
                    slots[slot] = Some(at);
                    state = *next;
                    continue;
                }
                State::Match { .. } if at == span.end => return Some(spans(&slots)),
                State::Match { .. } | State::Fail => None,
            };
            let Some(next) = next else { break };
            state = next;
            at += 1;
        }
    }
    None
}

fn spans(slots: &[Option<usize>]) -> Vec<Option<Range<usize>>> {
    let pairs = slots.chunks_exact(2);
    pairs.map(|pair| Some(pair[0]?..pair[1]?)).collect()
}
