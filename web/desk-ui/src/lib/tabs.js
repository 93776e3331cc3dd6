// The agent's other tabs. The server pushes lines to all of them; what one tab reads, opens or puts off it tells the rest.
let channel = null

/** heard(): another tab of this agent has changed something about the own talks. */
export function joinTabs(agentId, heard) {
  leaveTabs()
  channel = new BroadcastChannel(`zhike.desk.${agentId}`)
  channel.onmessage = heard
}

export function leaveTabs() {
  channel?.close()
  channel = null
}

export function tellTabs() {
  channel?.postMessage('changed')
}
