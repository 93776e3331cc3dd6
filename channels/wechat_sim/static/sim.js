// The phone page: who is it, what was said, what can be done. Everything shown is made of text nodes, never of HTML.

const $ = (id) => document.getElementById(id);
const HOW = { passive: "被动回复", api: "客服消息" };
const LINK = /<a\s+[^>]*?href="(https?:\/\/[^"\s]+)"[^>]*>([^<]*)<\/a>|(https?:\/\/[^\s<>"，。！？；）】」]+)/g;
let me = sessionStorage.getItem("openid") ?? "";
let looking = null;

async function call(path, body, type = "application/json") {
  const answer = await fetch(`/sim/${path}`, body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": type }, body: type === "application/json" ? JSON.stringify(body) : body,
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.status === 204 ? null : answer.json();
}

const does = (deed, body = {}, type = undefined) => call(`users/${me}/${deed}`, body, type);

function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function link(url, text) {
  const a = made("a", "", text);
  a.href = url;
  a.target = "_blank";
  a.rel = "noopener";
  return a;
}

function withLinks(parent, text) {
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parent.append(text.slice(from, found.index), link(found[1] ?? found[3], found[2] ?? found[3]));
    from = found.index + found[0].length;
  }
  parent.append(text.slice(from));
}

function card(article) {
  const shown = made(/^https?:/.test(article.url) ? "a" : "div", "card");
  if (shown.href !== undefined) Object.assign(shown, { href: article.url, target: "_blank", rel: "noopener" });
  if (/^https?:/.test(article.picture)) shown.append(Object.assign(made("img"), { src: article.picture, alt: "" }));
  shown.append(made("strong", "", article.title), made("span", "", article.description));
  return shown;
}

function lineOf(line) {
  const box = made("div", `line ${line.how === "platform" ? line.kind : line.how}`);
  Object.assign(box.dataset, { testid: "sim-line", how: line.how, kind: line.kind });
  if (line.how === "platform") {
    box.textContent = line.text;
    return box;
  }
  const said = made("div", "said");
  if (line.kind === "image") said.append(Object.assign(made("img"), { src: `/sim/media/${line.media_id}`, alt: "图片" }));
  else withLinks(said, line.text);
  box.append(...(line.kind === "news" ? line.articles.map(card) : [said]));
  if (HOW[line.how]) box.append(made("div", "how", HOW[line.how]));
  return box;
}

function button(item) {
  const made_ = made("button", "", item.name);
  made_.type = "button";
  made_.onclick = () => {
    made_.closest("details")?.removeAttribute("open");
    if (item.type !== "view") return does("click", { key: item.key });
    window.open(item.url, "_blank", "noopener");
    return does("view", { url: item.url });
  };
  return made_;
}

function menuItem(item) {
  if (!item.sub_button?.length) return button(item);
  const group = made("details");
  const below = made("div");
  below.append(...item.sub_button.map(button));
  group.append(made("summary", "", item.name), below);
  return group;
}

function lasting(seconds) {
  if (seconds < 60) return `${Math.max(0, seconds)} 秒`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} 分钟` : `${Math.round(seconds / 3600)} 小时`;
}

function show(told) {
  $("title").textContent = told.typing ? "对方正在输入…" : "公众号";
  $("bound").textContent = told.bound ? `已绑定：${told.bound}` : "未绑定";
  $("bound").className = told.bound ? "yes" : "";
  $("window").textContent = told.window_seconds === null
    ? "客服消息窗口未打开"
    : `还可主动发 ${told.sends_left} 条，${lasting(told.window_seconds)}内`;
  $("stranger").hidden = told.subscribed;
  $("write").hidden = $("leave").hidden = !told.subscribed;
  $("menu").hidden = !told.subscribed || !told.menu.length;
  if ($("menu").dataset.shown !== JSON.stringify(told.menu)) {
    $("menu").dataset.shown = JSON.stringify(told.menu);
    $("menu").replaceChildren(...told.menu.map(menuItem));
  }
  const log = $("lines");
  if (log.childElementCount > told.lines.length) log.replaceChildren();
  const fresh = told.lines.slice(log.childElementCount).map(lineOf);
  log.append(...fresh);
  if (fresh.length) log.scrollTop = log.scrollHeight;
}

async function look() {
  looking?.abort();
  const mine = (looking = new AbortController());
  let seen = -1;
  while (!mine.signal.aborted) {
    try {
      const answer = await fetch(`/sim/users/${me}?seen=${seen}`, { signal: mine.signal });
      if (!answer.ok) return choose();
      const told = await answer.json();
      if (mine.signal.aborted) return undefined;
      seen = told.version;
      show(told);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      await new Promise((go) => setTimeout(go, 1000)); // the stand-in is away
    }
  }
  return undefined;
}

async function choose(openid) {
  const { users } = await call("users");
  me = users.find((user) => user.openid === (openid ?? me))?.openid ?? users[0]?.openid ?? "";
  sessionStorage.setItem("openid", me);
  $("who").replaceChildren(...users.map((user) => new Option(user.name, user.openid, false, user.openid === me)));
  $("lines").replaceChildren();
  if (me) look();
  else $("naming").showModal();
}

$("who").onchange = () => choose($("who").value);
$("new").onclick = () => $("naming").showModal();
$("never").onclick = () => $("naming").close();
$("naming").querySelector("form").onsubmit = async () => {
  const name = $("name").value.trim();
  $("name").value = "";
  if (name) choose((await call("users", { name })).openid);
};
$("write").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  await does("text", { text }).catch(() => { $("text").value = text; });
};
$("image").onchange = async () => {
  const [file] = $("image").files;
  if (file) await does("image", file, file.type);
  $("image").value = "";
};
$("follow").onclick = () => does("follow");
$("leave").onclick = () => does("leave");
choose();
