import { shellQuote } from "../../system/shell-quote.js";
import { COMMON_OPTIONS, type CompletedCommand } from "./completed-command.js";
import { argumentCases, type Give, namesAgentFunction, valueCases } from "./shell-cases.js";

/** The completion script for bash: for `git kai-version` under git's own completion, `git-kai-version` and `kai`. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const groups = groupsOf(commands);
  return `# bash completion for git kai-version, git-kai-version and kai.
# eval "$(git kai-version completion bash)" in ~/.bashrc switches it on.

__kai_version_options() {
  case $1 in
${commands.map((command) => `    ${shellQuote(command.name)}) echo ${shellQuote(command.options.map(({ name }) => name).join(" "))} ;;`).join("\n")}
  esac
}

# What may stand behind an option: words, or @versions, @snapshots, @files, @folders, @nothing. Fails where it takes no value.
__kai_version_value() {
  case "$1 $2" in
${valueCases(commands, give)}
    'snapshot test --test') echo @versions ;;
    *) return 1 ;;
  esac
}

# The same for the argument at a position, from 0.
__kai_version_argument() {
  case "$1 $2" in
${argumentCases(commands, give)}
    *) echo @nothing ;;
  esac
}

__kai_version_group() {
  case $1 in
${groups.map((group) => `    ${shellQuote(group)}) echo ${shellQuote(wordsOf(commands, group).join(" "))} ;;`).join("\n")}
    *) return 1 ;;
  esac
}

${namesAgentFunction(commands)}

__kai_version_offer() {
  local cur=$1 what=$2 folder=$3 word
  case $what in
    @versions)
      # Never \`compgen -W\`, which would run what stands in a tag's name as $(...).
      while IFS= read -r word; do
        [[ $word == *[!A-Za-z0-9._/+-]* ]] && continue
        # Versions are taken without their v, too.
        [[ $cur == [0-9]* ]] && word=\${word#v}
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
      done < <(git -C "$folder" for-each-ref --format='%(refname:strip=2)' refs/tags 2>/dev/null) ;;
    @snapshots)
      while IFS= read -r word; do
        [[ $word =~ ^[0-9A-Z]{26}$ && $word == "\${cur^^}"* ]] && COMPREPLY+=("$word")
      done < <(command ls "$(git -C "$folder" rev-parse --path-format=absolute --git-common-dir 2>/dev/null)/kai/snapshots" 2>/dev/null) ;;
    @files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    @folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    @agents)
      mapfile -t COMPREPLY < <(cd "\${KAI_AGENTS:-$HOME/agents}" 2>/dev/null && compgen -d -- "$cur") ;;
    @nothing) COMPREPLY=() ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$what" -- "$cur") ;;
  esac
}

# Arguments: git or kai, the word at the cursor, and the words between the program's name and it.
__kai_version_complete() {
  local program=$1 cur=$2 word command="" option="" position=0 folder=. value testing=""
  shift 2
  COMPREPLY=()
  for word in "$@"; do
    if [ -n "$option" ]; then
      [ "$word" = "=" ] && continue
      [ "$option" = -C ] && folder=$word
      option=""
      continue
    fi
    case $word in
      --) return ;;
      -*)
        [[ $word == --test* ]] && testing=""
        __kai_version_value "$command" "$word" >/dev/null && option=$word ;;
      *)
        if [ "$program $command$position" = "kai snapshot0" ] && [[ " $(__kai_version_group snapshot) " != *" $word "* ]]; then
          # kai snapshot AGENT --test VERSION
          command='snapshot test' testing=--test position=2
          case $word in */* | . | ..) folder=$word ;; *) folder="\${KAI_AGENTS:-$HOME/agents}/$word" ;; esac
        elif [ -z "$command" ] || { [ "$position" = 0 ] && __kai_version_group "$command" >/dev/null; }; then
          command="\${command:+$command }$word"
        else
          [ "$program$position" = kai0 ] && __kai_version_names_agent "$command" &&
            case $word in */* | . | ..) folder=$word ;; *) folder="\${KAI_AGENTS:-$HOME/agents}/$word" ;; esac
          position=$((position + 1))
        fi ;;
    esac
  done
  case $cur in
    =) cur="" ;;
    --*=*) option=\${cur%%=*} cur=\${cur#*=} ;;
  esac
  if [ -n "$option" ]; then
    value=$(__kai_version_value "$command" "$option") && __kai_version_offer "$cur" "$value" "$folder"
  elif [ "\${cur#-}" != "$cur" ]; then
    __kai_version_offer "$cur" "$testing $(__kai_version_options "$command") ${COMMON_OPTIONS.map(({ name }) => name).join(" ")}" "$folder"
  elif [ -n "$testing" ]; then
    __kai_version_offer "$cur" "$testing" "$folder"
  elif [ -z "$command" ]; then
    __kai_version_offer "$cur" ${shellQuote(firstWords(commands).join(" "))} "$folder"
  elif value=$(__kai_version_group "$command"); then
    __kai_version_offer "$cur" "$value" "$folder"
  else
    if [ "$program" = kai ] && __kai_version_names_agent "$command"; then
      [ "$position" = 0 ] && { __kai_version_offer "$cur" @agents; return; }
      position=$((position - 1))
    fi
    __kai_version_offer "$cur" "$(__kai_version_argument "$command" "$position")" "$folder"
  fi
}

# git's completion calls this one, with its own idea of words.
_git_kai_version() {
  local at
  for ((at = 1; at < cword; at++)); do [ "\${words[at]}" = kai-version ] && break; done
  __kai_version_complete git "$cur" "\${words[@]:at+1:cword-at-1}"
}

_git_kai_version_program() {
  __kai_version_complete git "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
}

_kai() {
  __kai_version_complete kai "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
}

complete -o bashdefault -F _git_kai_version_program git-kai-version
complete -o bashdefault -F _kai kai
`;
}

const give: Give = (quoted) => `echo ${quoted}`;

const firstWords = (commands: readonly CompletedCommand[]): string[] => [
  ...new Set(commands.map(({ name }) => name.split(" ")[0] ?? "")),
];

const groupsOf = (commands: readonly CompletedCommand[]): string[] => [
  ...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0] ?? "")),
];

const wordsOf = (commands: readonly CompletedCommand[], group: string): string[] =>
  commands.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name.slice(group.length + 1));
