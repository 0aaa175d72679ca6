import { COMMON_OPTIONS, type CompletedCommand, type CompletedOption, offered } from "./completed-command.js";

/** The completion script for fish, beside git's own. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# fish completion for git kai-version, git-kai-version and kai.

set -g __kai_version_commands ${commands.map(({ name }) => quote(name)).join(" ")}

function __kai_version_summary
    switch $argv[1]
${commands.map(({ name, summary }) => `        case ${quote(name)}\n            echo ${quote(summary)}`).join("\n")}
    end
end

function __kai_version_options
    switch $argv[1]
${commands.map((command) => `        case ${quote(command.name)}\n${command.options.map(described).join("")}`).join("")}    end
${COMMON_OPTIONS.map(described).join("")}end

# What may stand behind an option: words, or @versions, @snapshots, @files, @folders, @nothing. Fails where it takes no value.
function __kai_version_value
    switch "$argv[1] $argv[2]"
${commands.map((command) => valueCases(command.options, command.name)).join("")}${valueCases(COMMON_OPTIONS, "*")}        case 'snapshot test --test'
            echo @versions
        case '*'
            return 1
    end
end

# The same for the argument at a position, from 0.
function __kai_version_argument
    switch "$argv[1] $argv[2]"
${commands.map(argumentCases).join("")}    end
end

function __kai_version_names_agent
    not contains -- $argv[1] ${commands
      .filter((command) => !command.namesAgent)
      .map(({ name }) => quote(name))
      .join(" ")}
end

function __kai_version_is_group
    string match -q -- "$argv[1] *" $__kai_version_commands
end

function __kai_version_agents
    set -q KAI_AGENTS; and echo $KAI_AGENTS; or echo $HOME/agents
end

function __kai_version_offer
    switch $argv[1]
        case @versions
            # Versions are taken without their v, too.
            set -l prefix ''
            string match -qr '^[0-9]' -- (commandline -ct); and set prefix '^v'
            git -C $argv[2] for-each-ref --format='%(refname:strip=2)' refs/tags 2>/dev/null | string replace -r -- "$prefix" ''
        case @snapshots
            set -l git (git -C $argv[2] rev-parse --path-format=absolute --git-common-dir 2>/dev/null)
            command ls $git/kai/snapshots 2>/dev/null | string match -r '^[0-9A-Z]{26}$'
        case @files
            __fish_complete_path (commandline -ct)
        case @folders
            __fish_complete_directories (commandline -ct)
        case @agents
            for each in (__kai_version_agents)/*/
                path basename $each
            end
        case @nothing
        case '*'
            string split ' ' -- $argv[1]
    end
end

function __kai_version_words
    for each in $__kai_version_commands
        set -l word (string split -m1 ' ' -- (string replace -- "$argv[1]" '' $each))
        string match -q -- "$argv[1]*" $each; or continue
        test (count $word) = 1; and printf '%s\\t%s\\n' $word[1] (__kai_version_summary $each); or echo $word[1]
    end | sort -u
end

function __kai_version_complete
    set -l program $argv[1]
    set -l command ''
    set -l option ''
    set -l position 0
    set -l folder .
    set -l testing ''
    set -l words (commandline -opc)
    if test $words[1] = git
        set words $words[(contains -i -- kai-version $words)..-1]
    end
    for word in $words[2..-1]
        if test -n "$option"
            test "$option" = -C; and set folder $word
            set option ''
            continue
        end
        switch $word
            case --
                return
            case '-*'
                string match -q -- '--test*' $word; and set testing ''
                __kai_version_value "$command" $word >/dev/null; and set option $word
            case '*'
                if test "$program $command$position" = 'kai snapshot0'; and not contains -- "snapshot $word" $__kai_version_commands
                    # kai snapshot AGENT --test VERSION
                    set command 'snapshot test'
                    set testing --test
                    set position 2
                    if string match -qr '/|^\\.\\.?$' -- $word
                        set folder $word
                    else
                        set folder (__kai_version_agents)/$word
                    end
                else if test -z "$command"
                    set command $word
                else if test $position = 0; and __kai_version_is_group $command
                    set command "$command $word"
                else
                    if test $program$position = kai0; and __kai_version_names_agent $command
                        if string match -qr '/|^\\.\\.?$' -- $word
                            set folder $word
                        else
                            set folder (__kai_version_agents)/$word
                        end
                    end
                    set position (math $position + 1)
                end
        end
    end
    set -l cur (commandline -ct)
    if test -n "$option"
        __kai_version_offer (__kai_version_value "$command" $option) $folder
    else if string match -q -- '--*=*' $cur
        set -l name (string split -m1 = -- $cur)[1]
        set -l value (__kai_version_value "$command" $name)
        and string replace -r -- '^' $name= (__kai_version_offer $value $folder)
    else if string match -q -- '-*' $cur
        test -n "$testing"; and printf '%s\\t%s\\n' $testing 'the version to try'
        __kai_version_options "$command"
    else if test -n "$testing"
        echo $testing
    else if test -z "$command"
        __kai_version_words ''
    else if __kai_version_is_group $command
        __kai_version_words "$command "
    else
        if test $program = kai; and __kai_version_names_agent $command
            if test $position = 0
                __kai_version_offer @agents
                return
            end
            set position (math $position - 1)
        end
        set -l value (__kai_version_argument $command $position)
        test -n "$value"; and __kai_version_offer $value $folder
    end
end

# fish 3.6 takes no other command's completion for git's own.
complete -c git -f -n 'contains -- kai-version (commandline -opc)' -a '(__kai_version_complete git)'
complete -c git-kai-version -f -a '(__kai_version_complete git)'
complete -c kai -f -a '(__kai_version_complete kai)'
`;
}

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const described = ({ name, summary }: CompletedOption): string =>
  `            printf '%s\\t%s\\n' ${quote(name)} ${quote(summary)}\n`;

const valueCases = (options: readonly CompletedOption[], command: string): string =>
  options
    .flatMap(({ name, value }) =>
      value === undefined
        ? []
        : [`        case ${quote(`${command} ${name}`)}\n            echo ${quote(offered(value))}\n`],
    )
    .join("");

const argumentCases = (command: CompletedCommand): string =>
  command.arguments
    .map((value, position) => {
      const repeated = command.repeats && position === command.arguments.length - 1;
      return `        case ${quote(`${command.name} ${repeated ? "*" : position}`)}\n            echo ${quote(offered(value))}\n`;
    })
    .join("");
