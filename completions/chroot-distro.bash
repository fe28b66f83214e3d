# bash completion for chroot-distro, generated from its table of commands.

# Says what belongs to the command $1.
__chroot_distro_spec() {
    name='' options='' operands=() repeated='' trailing='' group=''
    case $1 in
    login|sh)
        name=login
        options='-d --detach -t --tty -u --user -b --bind -v --volume -w --work-dir -e --env --shared-home --shared-tmp --no-shared-tmp --minimal --isolated --isolate --hostname --dns --add-host --device --tmpfs --rm --read-only --cap-add --cap-drop --privileged --no-new-privs --memory --cpus --pids --get-chroot-cmd -h --help'
        operands=('containers')
        trailing=bare
        ;;
    run)
        name=run
        options='--entrypoint -d --detach -t --tty -u --user -b --bind -v --volume -w --work-dir -e --env --shared-home --shared-tmp --no-shared-tmp --minimal --isolated --isolate --hostname --dns --add-host --device --tmpfs --rm --read-only --cap-add --cap-drop --privileged --no-new-privs --memory --cpus --pids --get-chroot-cmd -h --help'
        operands=('containers')
        trailing=dashed
        ;;
    exec)
        name=exec
        options='-d --detach -t --tty -u --user -b --bind -v --volume -w --work-dir -e --env --shared-home --shared-tmp --no-shared-tmp --minimal --isolated --isolate --hostname --dns --add-host --device --tmpfs --rm --read-only --cap-add --cap-drop --privileged --no-new-privs --memory --cpus --pids --get-chroot-cmd -h --help'
        operands=('running')
        trailing=bare
        ;;
    list|li|ls)
        name=list
        options='-q --quiet --json -v --verbose --measure --image -h --help'
        ;;
    ps)
        name=ps
        options='-q --quiet --json -a --all -h --help'
        ;;
    install|add|i|in|ins)
        name=install
        options='-n --name --override-alias -a --architecture --pull --allow-insecure -q --quiet -h --help'
        operands=('images+files')
        repeated=1
        ;;
    remove|rm)
        name=remove
        options='--image -a --architecture -v --verbose -q --quiet -h --help'
        operands=('containers')
        repeated=1
        ;;
    rename|mv)
        name=rename
        options='-f --force -q --quiet -h --help'
        operands=('containers' 'text')
        ;;
    reset)
        name=reset
        options='-f --force -u --update --allow-insecure -q --quiet -h --help'
        operands=('containers')
        ;;
    diff)
        name=diff
        options='-a --all -v --verbose --stat --json -h --help'
        operands=('containers')
        ;;
    commit)
        name=commit
        options='-a --author -m --message -c --change --compress --live -q --quiet -h --help'
        operands=('containers' 'text')
        ;;
    backup|bak|bkp)
        name=backup
        options='-o --output --base -c --compress --numeric-zero --verify --live -v --verbose -q --quiet -h --help'
        operands=('containers')
        ;;
    restore)
        name=restore
        options='-f --force -v --verbose -q --quiet -h --help'
        operands=('files' 'files')
        repeated=1
        ;;
    export)
        name=export
        options='-o --output -c --compress --numeric-zero --live -q --quiet -h --help'
        operands=('containers')
        ;;
    kill|k)
        name=kill
        options='-s --signal -a --all -h --help'
        operands=('running')
        repeated=1
        ;;
    stop)
        name=stop
        options='-t --time -h --help'
        operands=('running')
        repeated=1
        ;;
    start)
        name=start
        options='-h --help'
        operands=('containers')
        ;;
    restart)
        name=restart
        options='-t --time -h --help'
        operands=('containers')
        ;;
    logs|log)
        name=logs
        options='-f --follow -n --lines --tail -h --help'
        operands=('containers')
        ;;
    attach)
        name=attach
        options='--detach-keys -h --help'
        operands=('running')
        ;;
    unmount|umount|um)
        name=unmount
        options='-h --help'
        operands=('running')
        ;;
    top)
        name=top
        options='-q --quiet --json -h --help'
        operands=('running')
        repeated=1
        ;;
    stats)
        name=stats
        options='-q --quiet --json --no-stream -h --help'
        operands=('running')
        repeated=1
        ;;
    ports)
        name=ports
        options='-q --quiet --json -h --help'
        operands=('running')
        repeated=1
        ;;
    events)
        name=events
        options='-f --follow -n --lines --json -h --help'
        ;;
    pull|'image pull')
        name=pull
        options='-a --architecture --allow-insecure -q --quiet -h --help'
        operands=('images')
        repeated=1
        ;;
    'image ls'|images|'image list')
        name='image ls'
        options='-q --quiet --json -h --help'
        ;;
    'image rm'|'image remove')
        name='image rm'
        options='-a --architecture -q --quiet -h --help'
        operands=('images')
        repeated=1
        ;;
    'image tag')
        name='image tag'
        options='-a --architecture -h --help'
        operands=('images' 'images')
        ;;
    'image inspect')
        name='image inspect'
        options='-a --architecture --json -h --help'
        operands=('images')
        ;;
    'image history')
        name='image history'
        options='-q --quiet --json -a --architecture -h --help'
        operands=('images')
        ;;
    'image files')
        name='image files'
        options='-q --quiet --json -l --layer -a --architecture -h --help'
        operands=('images')
        ;;
    'image save')
        name='image save'
        options='-o --output --format -a --architecture -q --quiet -h --help'
        operands=('images')
        repeated=1
        ;;
    'image load')
        name='image load'
        options='-i --input -n --name --replace -q --quiet -h --help'
        operands=('files')
        ;;
    'image unpack')
        name='image unpack'
        options='-o --output -a --architecture -q --quiet -h --help'
        operands=('images')
        ;;
    'image du')
        name='image du'
        options='--json -h --help'
        ;;
    'image prune')
        name='image prune'
        options='--all -v --verbose -q --quiet -h --help'
        ;;
    push|'image push')
        name=push
        options='-a --architecture --allow-insecure -q --quiet -h --help'
        operands=('images' 'images')
        ;;
    search|find|se)
        name=search
        options='-q --quiet --json -l --limit -h --help'
        operands=('text')
        repeated=1
        ;;
    'registry login')
        name='registry login'
        options='-u --username --password-stdin --allow-insecure -h --help'
        operands=('text')
        ;;
    'registry logout')
        name='registry logout'
        options='-h --help'
        operands=('text')
        ;;
    clear-cache|clear|cl)
        name=clear-cache
        options='--orphan --build-cache --keep -v --verbose -q --quiet -h --help'
        ;;
    copy|cp)
        name=copy
        options='-r --recursive -m --move --chown -v --verbose -q --quiet -h --help'
        operands=('containers+files' 'containers+files')
        ;;
    sync)
        name=sync
        options='-c --checksum -d --delete --chown -v --verbose -q --quiet -h --help'
        operands=('containers+files' 'containers+files')
        ;;
    setup)
        name=setup
        options='--user --uninstall -q --quiet -h --help'
        ;;
    info|version-info|nf)
        name=info
        options='--json -h --help'
        ;;
    doctor|check)
        name=doctor
        options='--fix --verify -q --quiet --json -h --help'
        ;;
    help|h|he|hel)
        name=help
        options='-h --help'
        operands=('topics' 'text')
        ;;
    image)
        name=image
        group=1
        options='-h --help'
        operands=('words pull ls rm tag inspect history files save load unpack du prune push')
        ;;
    registry)
        name=registry
        group=1
        options='-h --help'
        operands=('words login logout')
        ;;
    esac
}

# Says what kind of value the option $2 of the command $1 takes.
__chroot_distro_value() {
    kind=''
    case $1:$2 in
    login:-u|login:--user) kind='text' ;;
    login:-b|login:--bind) kind='directories' ;;
    login:-v|login:--volume) kind='directories' ;;
    login:-w|login:--work-dir) kind='text' ;;
    login:-e|login:--env) kind='text' ;;
    login:--hostname) kind='text' ;;
    login:--dns) kind='text' ;;
    login:--add-host) kind='text' ;;
    login:--device) kind='files' ;;
    login:--tmpfs) kind='text' ;;
    login:--cap-add) kind='text' ;;
    login:--cap-drop) kind='text' ;;
    login:--memory) kind='text' ;;
    login:--cpus) kind='text' ;;
    login:--pids) kind='text' ;;
    run:--entrypoint) kind='text' ;;
    run:-u|run:--user) kind='text' ;;
    run:-b|run:--bind) kind='directories' ;;
    run:-v|run:--volume) kind='directories' ;;
    run:-w|run:--work-dir) kind='text' ;;
    run:-e|run:--env) kind='text' ;;
    run:--hostname) kind='text' ;;
    run:--dns) kind='text' ;;
    run:--add-host) kind='text' ;;
    run:--device) kind='files' ;;
    run:--tmpfs) kind='text' ;;
    run:--cap-add) kind='text' ;;
    run:--cap-drop) kind='text' ;;
    run:--memory) kind='text' ;;
    run:--cpus) kind='text' ;;
    run:--pids) kind='text' ;;
    exec:-u|exec:--user) kind='text' ;;
    exec:-b|exec:--bind) kind='directories' ;;
    exec:-v|exec:--volume) kind='directories' ;;
    exec:-w|exec:--work-dir) kind='text' ;;
    exec:-e|exec:--env) kind='text' ;;
    exec:--hostname) kind='text' ;;
    exec:--dns) kind='text' ;;
    exec:--add-host) kind='text' ;;
    exec:--device) kind='files' ;;
    exec:--tmpfs) kind='text' ;;
    exec:--cap-add) kind='text' ;;
    exec:--cap-drop) kind='text' ;;
    exec:--memory) kind='text' ;;
    exec:--cpus) kind='text' ;;
    exec:--pids) kind='text' ;;
    install:-n|install:--name) kind='text' ;;
    install:--override-alias) kind='text' ;;
    install:-a|install:--architecture) kind='text' ;;
    install:--pull) kind='words missing always never' ;;
    remove:-a|remove:--architecture) kind='text' ;;
    commit:-a|commit:--author) kind='text' ;;
    commit:-m|commit:--message) kind='text' ;;
    commit:-c|commit:--change) kind='text' ;;
    commit:--compress) kind='words gzip zstd' ;;
    backup:-o|backup:--output) kind='files' ;;
    backup:--base) kind='files' ;;
    backup:-c|backup:--compress) kind='words gzip bzip2 xz zstd none' ;;
    export:-o|export:--output) kind='files' ;;
    export:-c|export:--compress) kind='words zstd gzip lzo lz4 xz' ;;
    kill:-s|kill:--signal) kind='text' ;;
    stop:-t|stop:--time) kind='text' ;;
    restart:-t|restart:--time) kind='text' ;;
    logs:-n|logs:--lines|logs:--tail) kind='text' ;;
    attach:--detach-keys) kind='text' ;;
    events:-n|events:--lines) kind='text' ;;
    pull:-a|pull:--architecture) kind='text' ;;
    'image rm':-a|'image rm':--architecture) kind='text' ;;
    'image tag':-a|'image tag':--architecture) kind='text' ;;
    'image inspect':-a|'image inspect':--architecture) kind='text' ;;
    'image history':-a|'image history':--architecture) kind='text' ;;
    'image files':-l|'image files':--layer) kind='text' ;;
    'image files':-a|'image files':--architecture) kind='text' ;;
    'image save':-o|'image save':--output) kind='files' ;;
    'image save':--format) kind='words oci docker' ;;
    'image save':-a|'image save':--architecture) kind='text' ;;
    'image load':-i|'image load':--input) kind='files' ;;
    'image load':-n|'image load':--name) kind='text' ;;
    'image unpack':-o|'image unpack':--output) kind='directories' ;;
    'image unpack':-a|'image unpack':--architecture) kind='text' ;;
    push:-a|push:--architecture) kind='text' ;;
    search:-l|search:--limit) kind='text' ;;
    'registry login':-u|'registry login':--username) kind='text' ;;
    clear-cache:--keep) kind='text' ;;
    copy:--chown) kind='text' ;;
    sync:--chown) kind='text' ;;
    setup:--user) kind='text' ;;
    esac
}

# Keeps the lines of stdin that begin with the current word; names that a shell would read otherwise are left out.
__chroot_distro_match() {
    local word
    while IFS= read -r word; do
        [[ $word == "$value"* && $word != *[!A-Za-z0-9._/:@+=-]* ]] && COMPREPLY+=("$head$word$1")
    done
}

__chroot_distro_files() {
    local word
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$head$word"); done < <(compgen "$1" -- "$value")
}

# Offers words of the kind $1 for what is typed of it in $value; $head stands before it in the same word.
__chroot_distro_offer() {
    local -a choices
    case $1 in
    containers|running|images) __chroot_distro_match < <(command chroot-distro __complete "$1" 2>/dev/null) ;;
    images+files)
        __chroot_distro_files -f
        [[ $value == [./~]* ]] || __chroot_distro_match < <(command chroot-distro __complete images 2>/dev/null)
        ;;
    containers+files)
        __chroot_distro_files -f
        [[ $value == *[:/]* ]] || __chroot_distro_match : < <(command chroot-distro __complete containers 2>/dev/null)
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
        ;;
    files) __chroot_distro_files -f ;;
    directories) __chroot_distro_files -d ;;
    programs) __chroot_distro_files -c ;;
    topics) __chroot_distro_match <<< 'login
run
exec
list
ps
install
remove
rename
reset
diff
commit
backup
restore
export
kill
stop
start
restart
logs
attach
unmount
top
stats
ports
events
pull
push
search
clear-cache
copy
sync
setup
info
doctor
help
image
registry' ;;
    words*)
        read -ra choices <<< "${1#words }"
        __chroot_distro_match < <(printf '%s\n' "${choices[@]}")
        ;;
    esac
}

__chroot_distro_complete() {
    local name options repeated trailing group kind head='' value word glue='' breaks='' cut i operand=0 inside='' skip=''
    local -a operands line=()
    COMPREPLY=()
    # bash has cut the line at each : and = as well: put those words together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)) && [[ -z $word && ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]]; then
            line+=('')
        elif ((i > 1)) && [[ -n $glue || ( -n $word && -z ${word//[:=]/} ) ]]; then
            line[${#line[@]} - 1]+=$word
        else
            line+=("$word")
        fi
        [[ -n $word && -z ${word//[:=]/} ]] && glue=1 || glue=''
    done
    local last=$((${#line[@]} - 1)) command=''
    value=${line[last]}
    local current=$value
    for ((i = 1; i < last; i++)); do
        word=${line[i]}
        if [[ -z $command ]]; then
            [[ $word == -* ]] && continue
            command=$word
            __chroot_distro_spec "$command"
        elif [[ -n $skip ]]; then
            skip=''
        elif [[ $word == -- ]]; then
            inside=$((i + 1))
            break
        elif [[ $word == -?* ]]; then
            __chroot_distro_value "$name" "$word"
            skip=$kind
        elif ((operand >= ${#operands[@]})) && [[ $trailing == bare && -z $repeated ]]; then
            inside=$i
            break
        elif [[ -n $group ]]; then
            __chroot_distro_spec "$command $word"
        else
            ((operand += 1))
        fi
    done
    [[ -n $repeated ]] && ((operand >= ${#operands[@]})) && operand=$((${#operands[@]} - 1))
    if [[ -z $command && $value == -* ]]; then
        __chroot_distro_match <<< '--no-elevate
--use-sudo
-h
--help
-V
--version'
    elif [[ -z $command ]]; then
        __chroot_distro_match <<< 'login
sh
run
exec
list
li
ls
ps
install
add
i
in
ins
remove
rm
rename
mv
reset
diff
commit
backup
bak
bkp
restore
export
kill
k
stop
start
restart
logs
log
attach
unmount
umount
um
top
stats
ports
events
pull
images
push
search
find
se
clear-cache
clear
cl
copy
cp
sync
setup
info
version-info
nf
doctor
check
help
h
he
hel
image
registry'
    elif [[ -n $inside && -n $trailing ]]; then
        ((inside == last)) && __chroot_distro_files -c || __chroot_distro_files -f
    elif [[ -z $inside && -n $skip ]]; then
        __chroot_distro_offer "$skip"
    elif [[ -z $inside && $value == --*=* ]]; then
        head=${value%%=*}=
        value=${value#*=}
        __chroot_distro_value "$name" "${head%=}"
        __chroot_distro_offer "$kind"
    elif [[ -z $inside && $value == -* ]]; then
        __chroot_distro_match < <(printf '%s\n' $options)
    elif [[ -n ${operands[operand]} ]]; then
        __chroot_distro_offer "${operands[operand]}"
    elif [[ $trailing == bare ]]; then
        __chroot_distro_files -c
    fi
    # And bash replaces only what stands behind the last of them.
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+==
    if [[ -n $breaks && $current == *[$breaks]* ]]; then
        cut=${current%"${current##*[$breaks]}"}
        COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    fi
}
complete -F __chroot_distro_complete chroot-distro
