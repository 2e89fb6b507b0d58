"""What each shell runs at a Tab: it asks devrun, and falls back to names of files."""

from __future__ import annotations

SHELLS = ("bash", "zsh", "fish")

_BASH = r"""# bash completion for devrun
_devrun_completion() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(_DEVRUN_COMPLETE=complete_bash COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" \
        COMP_WORDBREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
    case ${#COMPREPLY[@]}:${COMPREPLY[0]} in
        1:*=) compopt -o nospace 2>/dev/null ;;
    esac
}
complete -o default -F _devrun_completion devrun
"""

_ZSH = r"""#compdef devrun
_devrun() {
    local candidate
    local -a found closed open
    found=("${(@f)$(_DEVRUN_COMPLETE=complete_zsh ${words[1]} \
        "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for candidate in $found; do
        if [[ $candidate == *= ]]; then open+=("$candidate"); else closed+=("$candidate"); fi
    done
    if (( ! $#closed && ! $#open )); then
        _files
        return
    fi
    (( $#closed )) && _describe devrun closed
    (( $#open )) && _describe devrun open -S ''
}
if [[ $funcstack[1] == _devrun ]]; then _devrun "$@"; else compdef _devrun devrun; fi
"""

_FISH = r"""# fish completion for devrun
function __devrun_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l now (commandline --cut-at-cursor --current-token)
    set -e words[1]
    set -l found (env _DEVRUN_COMPLETE=complete_fish devrun $words "$now" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$now"
    end
end
complete --command devrun --no-files --arguments '(__devrun_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
