// Bitrix24's own language codes, with the tag a browser knows.
const all = {
  en: ['en', 'Feed', 'CRM', 'Tasks', 'My profile', 'Application', 'User', 'Language', 'administrator'],
  de: ['de', 'Neuigkeiten', 'CRM', 'Aufgaben', 'Mein Profil', 'Anwendung', 'Benutzer', 'Sprache', 'Administrator'],
  ru: ['ru', 'Новости', 'CRM', 'Задачи', 'Мой профиль', 'Приложение', 'Пользователь', 'Язык', 'администратор'],
  la: ['es', 'Noticias', 'CRM', 'Tareas', 'Mi perfil', 'Aplicación', 'Usuario', 'Idioma', 'administrador'],
  br: ['pt-BR', 'Feed', 'CRM', 'Tarefas', 'Meu perfil', 'Aplicativo', 'Usuário', 'Idioma', 'administrador'],
};

export function words(lang) {
  const [tag, feed, crm, tasks, profile, app, user, language, admin] = all[lang] ?? all.en;
  return { tag, feed, crm, tasks, profile, app, user, language, admin };
}
