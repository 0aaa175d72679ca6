import { shellQuote } from "../../system/shell-quote.js";
import { COMMON_OPTIONS, type CompletedCommand, type CompletedOption } from "./completed-command.js";
import { argumentCases, type Give, namesAgentFunction, valueCases } from "./shell-cases.js";

/** The completion script for zsh: a file for `fpath`, or to be sourced behind `compinit`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef git-kai-version kai
#description versions, signed releases and rollbacks for AI agents

__kai_version_commands=(
${commands.map(({ name, summary }) => `  ${pair(name, summary)}`).join("\n")}
)

# The options of a command, each with what it is for.
__kai_version_options() {
  case $1 in
${commands.map((command) => `    ${shellQuote(command.name)}) reply=(${command.options.map(described).join(" ")}) ;;`).join("\n")}
    *) reply=() ;;
  esac
  reply+=(${COMMON_OPTIONS.map(described).join(" ")})
}

# What may stand behind an option: words, or @versions, @snapshots, @files, @folders, @nothing. Fails where it takes no value.
__kai_version_value() {
  case "$1 $2" in
${valueCases(commands, give)}
    'snapshot test --test') REPLY=@versions ;;
    *) return 1 ;;
  esac
}

# The same for the argument at a position, from 0.
__kai_version_argument() {
  case "$1 $2" in
${argumentCases(commands, give)}
    *) REPLY=@nothing ;;
  esac
}

${namesAgentFunction(commands)}

__kai_version_offer() {
  case $1 in
    @versions)
      local -a tags=(\${(f)"$(git -C "$2" for-each-ref --format='%(refname:strip=2)' refs/tags 2>/dev/null)"})
      # Versions are taken without their v, too.
      if [[ $PREFIX == [0-9]* ]]; then compadd -- \${tags#v}; else compadd -- $tags; fi ;;
    @snapshots)
      local -a ids=(\${(f)"$(command ls "$(git -C "$2" rev-parse --path-format=absolute --git-common-dir 2>/dev/null)/kai/snapshots" 2>/dev/null)"})
      # Small letters are taken, too; the lock beside them is none.
      compadd -M 'm:{a-z}={A-Z}' -- \${(M)ids:#[0-9A-Z]*} ;;
    @files) _files ;;
    @folders) _files -/ ;;
    @agents) _files -/ -W "\${KAI_AGENTS:-$HOME/agents}" ;;
    @nothing) return 1 ;;
    *) compadd -- \${=1} ;;
  esac
}

# The commands whose name begins with a group, or all, by their next word.
__kai_version_words() {
  local each name
  local -a shown
  for each in $__kai_version_commands; do
    name=\${\${each%%:*}#$1}
    [[ $each == $1* ]] || continue
    if [[ $name == *' '* ]]; then shown+=("\${name%% *}:\${name%% *} …"); else shown+=("$name:\${each#*:}"); fi
  done
  reply=("\${(@u)shown[@]}")
  _describe -t commands command reply
}

__kai_version_complete() {
  local program=$1 word command="" option="" folder=. cur=$words[CURRENT] testing="" REPLY
  local -i position=0
  local -a reply
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $option ]]; then
      [[ $option == -C ]] && folder=$word
      option=""
      continue
    fi
    case $word in
      --) _normal; return ;;
      -*)
        [[ $word == --test* ]] && testing=""
        __kai_version_value "$command" "$word" && option=$word ;;
      *)
        if [[ "$program $command$position" == "kai snapshot0" && -z \${(M)__kai_version_commands:#snapshot $word:*} ]]; then
          # kai snapshot AGENT --test VERSION
          command='snapshot test' testing='--test:the version to try'; position=2
          case $word in */* | . | ..) folder=$word ;; *) folder=\${KAI_AGENTS:-$HOME/agents}/$word ;; esac
        elif [[ -z $command ]] || { (( position == 0 )) && __kai_version_is_group "$command"; }; then
          command=\${command:+$command }$word
        else
          if [[ $program$position == kai0 ]] && __kai_version_names_agent "$command"; then
            case $word in */* | . | ..) folder=$word ;; *) folder=\${KAI_AGENTS:-$HOME/agents}/$word ;; esac
          fi
          (( position++ ))
        fi ;;
    esac
  done
  if [[ -n $option ]]; then
    __kai_version_value "$command" "$option"
    __kai_version_offer "$REPLY" "$folder"
  elif [[ $cur == --*=* ]] && __kai_version_value "$command" "\${cur%%=*}"; then
    compset -P 1 '*='
    __kai_version_offer "$REPLY" "$folder"
  elif [[ $cur == -* ]]; then
    __kai_version_options "$command"
    [[ -n $testing ]] && reply+=("$testing")
    _describe -o option reply
  elif [[ -n $testing ]]; then
    compadd -- --test
  elif [[ -z $command ]]; then
    __kai_version_words ""
  elif __kai_version_is_group "$command"; then
    __kai_version_words "$command "
  else
    if [[ $program == kai ]] && __kai_version_names_agent "$command"; then
      if (( position == 0 )); then __kai_version_offer @agents; return; fi
      (( position-- ))
    fi
    __kai_version_argument "$command" "$position"
    __kai_version_offer "$REPLY" "$folder"
  fi
}

__kai_version_is_group() { [[ -n \${(M)__kai_version_commands:#$1 *} ]] }

# zsh's completion of git calls this one, with kai-version as the first word.
_git-kai-version() { __kai_version_complete git }

_kai() { __kai_version_complete kai }

if [[ $funcstack[1] == _git-kai-version ]]; then
  if [[ $service == kai ]]; then _kai; else _git-kai-version; fi
else
  compdef _git-kai-version git-kai-version
  compdef _kai kai
fi
`;
}

const give: Give = (quoted) => `REPLY=${quoted}`;

/** `name:what it is`, as _describe wants it. */
const pair = (name: string, summary: string): string => shellQuote(`${name}:${summary}`);

const described = ({ name, summary }: CompletedOption): string => pair(name, summary);
